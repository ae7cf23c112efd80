"""Makes one shard of images: their pictures, and a line of labels for each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from simworld.datasets.labelled import LabelledImage
from simworld.datasets.store.filling import Filled, Tell
from simworld.datasets.store.fingerprint import Fingerprint, fingerprint, fingerprint_of
from simworld.datasets.store.folder import hidden
from simworld.datasets.store.journal import Journal
from simworld.datasets.store.label import Label, label_line
from simworld.datasets.store.pictures import encoded_pictures, picture_names
from simworld.randomization.redrawn import tally
from simworld.writing import reporting, sync_files, write_soon

Make = Callable[[int], LabelledImage]


def write_image_shard(
    folder: Path, name: str, numbers: Sequence[int], categories: Sequence[str], make: Make, tell: Tell
) -> Filled:
    """Leave the shard `name` of a dataset, whole, under its hidden name: images `numbers`, made by `make`.

    Those that were made before, and are as they were written, stay. `tell` is called after each new one.
    """
    ids = {category: i for i, category in enumerate(categories, start=1)}
    redrawn: Counter[str] = Counter()
    with Journal(folder / hidden(name)) as journal:
        there = _whole(folder, journal.lines(), numbers)
        lines, missing = dict(there), [number for number in numbers if number not in there]
        for number in missing:
            image = make(number)
            lines[number] = label_line(number, image, ids, _write_pictures(folder, number, image))
            journal.append(lines[number])
            redrawn.update(tally([image.moment.redrawn]))
            tell()
        with reporting(folder):
            sync_files(folder / file for number in numbers for file in picture_names(number).values())
        journal.settle([lines[number] for number in numbers])
    return Filled(len(missing), dict(redrawn))


def whole_lines(folder: Path, lines: Sequence[bytes], numbers: Sequence[int]) -> list[bytes]:
    """Those lines of a shard that is not finished whose images are as they were written, in order."""
    return [line for _, line in sorted(_whole(folder, lines, numbers).items())]


def _whole(folder: Path, lines: Sequence[bytes], numbers: Sequence[int]) -> dict[int, bytes]:
    found = {}
    for line in lines:
        try:
            label = Label.model_validate_json(line)
        except ValidationError:  # as a loss of power may leave it
            continue
        number = label.image.id - 1
        if number in numbers and _are_there(folder, number, label.files):
            found[number] = line
    return found


def _are_there(folder: Path, number: int, files: Mapping[str, Fingerprint]) -> bool:
    if set(files) != set(picture_names(number).values()):
        return False
    try:
        return all(fingerprint(folder / name) == listed for name, listed in files.items())
    except OSError:
        return False


def _write_pictures(folder: Path, number: int, image: LabelledImage) -> dict[str, Fingerprint]:
    """Write the pictures of an image, and say what they are."""
    written = {}
    for name, data in zip(picture_names(number).values(), encoded_pictures(image), strict=True):
        path = folder / name
        with reporting(path, f"; what was finished is intact in {folder}"):
            path.parent.mkdir(exist_ok=True)
            write_soon(path, data)
        written[name] = fingerprint_of(data)
    return written
