"""The labels of a dataset of images as a stream: one shard of them is in memory at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simworld.datasets.store.folder import hidden
from simworld.datasets.store.image_shard import whole_lines
from simworld.datasets.store.journal import Journal
from simworld.datasets.store.label import Label
from simworld.datasets.store.manifest import MANIFEST, known_files, read_checked, read_manifest
from simworld.datasets.store.request import Request, read_request
from simworld.datasets.store.shards import Shards
from simworld.errors import DatasetError
from simworld.reading import PathLike, Record, parse_json, read_bytes

KIND, LABELS = "images", "labels"


class Meaning(Record):
    """What is read of what a dataset says of a parameter."""

    unit: str = ""


class ImagesRequest(Request):
    """What is read of `request.json` of any dataset of images."""

    count: Annotated[int, Field(ge=1)]
    shard: Annotated[int, Field(ge=1)]
    categories: tuple[str, ...]
    parameters: dict[str, Meaning] = {}

    @property
    def shards(self) -> Shards:
        """The files of its labels."""
        return Shards(LABELS, ".jsonl", self.count, self.shard)


def read_labels(folder: PathLike) -> Iterator[Label]:
    """The labels of a dataset, in order; of one that is not finished, those of the shards that are there.

    A shard is checked before anything in it is believed. What is missing, too much, or changed raises DatasetError.
    """
    folder = Path(folder)
    asked = read_request(folder, KIND, ImagesRequest)
    known, finished = known_files(folder), read_manifest(folder) is not None
    for name, numbers in asked.shards:
        if finished and name not in known:
            raise DatasetError(f"{folder}: {name} is not in its {MANIFEST}")
        if finished or (folder / name).is_file():
            lines = read_checked(folder, name, known).splitlines()
            yield from parse_labels(lines, numbers, f"{folder / name} is broken")


def made_labels(folder: Path, shards: Shards) -> Iterator[Label]:
    """The labels of all images that are there, of the one who holds the folder: also of shards under way.

    Whether they are as they were written was checked when the folder was opened.
    """
    for name, numbers in shards:
        lines: Sequence[bytes] = ()
        if (folder / name).is_file():
            lines = read_bytes(folder / name).splitlines()
        elif (folder / hidden(name)).is_file():
            with Journal(folder / hidden(name)) as journal:
                lines = whole_lines(folder, journal.lines(), numbers)
        yield from map(Label.model_validate_json, lines)


def parse_labels(lines: Sequence[bytes], numbers: range, source: str) -> list[Label]:
    """The labels of the images `numbers`, of which there is a line each; anything else raises DatasetError."""
    labels = [parse_json(line, Label, source) for line in lines]
    if len(labels) != len(numbers) or any(label.image.id - 1 != k for label, k in zip(labels, numbers, strict=True)):
        raise DatasetError(f"{source}: it must have a line for each of the images {numbers[0]} to {numbers[-1]}")
    return labels
