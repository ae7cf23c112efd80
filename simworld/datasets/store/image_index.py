"""`index.jsonl`: a line for each image, by which one finds it without reading all labels."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from simworld.datasets.sample import SampleId
from simworld.datasets.store.label import Label
from simworld.datasets.store.label_stream import KIND, ImagesRequest, parse_labels
from simworld.datasets.store.manifest import known_files, read_checked
from simworld.datasets.store.request import read_request
from simworld.errors import DatasetError, nearest
from simworld.reading import PathLike, Record, parse_json
from simworld.writing import to_json

INDEX = "index.jsonl"


class Indexed(Record):
    """A line of the index: the id of an image in COCO, its sample and its group."""

    id: int
    sample: str
    group: str


def index_chunks(labels: Iterable[Label]) -> Iterator[bytes]:
    """The index of these labels."""
    for label in labels:
        yield to_json({"id": label.image.id, "sample": label.image.sample, "group": label.image.group})


def read_index(folder: PathLike) -> list[Indexed]:
    """The images of a dataset: all of them once it is finished, and those that there were when it was interrupted.

    A dataset without an index, and a changed one, raise DatasetError.
    """
    folder = Path(folder)
    read_request(folder, KIND, ImagesRequest)
    if not (folder / INDEX).exists():
        raise DatasetError(f"{folder} has no {INDEX}: run the command that makes it again, to its end")
    lines = read_checked(folder, INDEX, known_files(folder)).splitlines()
    return [parse_json(line, Indexed, f"{folder / INDEX} is broken") for line in lines]


def find_label(folder: PathLike, sample: SampleId | str) -> Label:
    """The label of a sample, such as "3/0/12/front"; one that is not in the dataset raises DatasetError."""
    folder, wanted = Path(folder), str(sample)
    numbers = {image.sample: image.id - 1 for image in read_index(folder)}
    if wanted not in numbers:
        raise DatasetError(f"{folder} has no sample {wanted!r}{nearest(wanted, list(numbers)[:1000])}")
    shards = read_request(folder, KIND, ImagesRequest).shards
    number = numbers[wanted]
    name, held = shards.of(number), shards.numbers(number // shards.size)
    lines = read_checked(folder, name, known_files(folder)).splitlines()
    return parse_labels(lines, held, f"{folder / name} is broken")[number - held.start]
