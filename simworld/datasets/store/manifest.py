"""What a dataset holds: `manifest.json` once it is finished, and the lists of further files in its shards.

A line of a `.jsonl` file of a dataset may list further files, by name, under `files`, with their fingerprints: so the
manifest is small, and whoever knows it knows the digest of everything.
"""

import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from simworld.datasets.store.fingerprint import Fingerprint, fingerprint_of
from simworld.datasets.store.ledger import LEDGER, Ledger
from simworld.errors import DatasetError
from simworld.reading import Record, open_regular, read_bytes, read_json

LOCK, REQUEST, MANIFEST = ".lock", "request.json", "manifest.json"
LISTING = ".jsonl"
"""How the names of files end that list others."""


class Manifest(Record):
    """`manifest.json`: the files of a finished dataset by name, and the versions of what made them."""

    format_version: int
    software: dict[str, str]
    files: dict[str, Fingerprint]


class _Line(Record):
    files: dict[str, Fingerprint] = {}


_LINE = TypeAdapter(_Line)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a dataset, None where it is not finished; a broken one raises DatasetError."""
    try:
        return read_json(folder / MANIFEST, Manifest)
    except FileNotFoundError:
        return None


def known_files(folder: Path) -> dict[str, set[Fingerprint]]:
    """What is known of the files of a dataset that no shard lists, finished or not; raises DatasetError."""
    known, manifest = Ledger(folder).read(), read_manifest(folder)
    for name, listed in manifest.files.items() if manifest else ():
        known.setdefault(name, set()).add(listed)
    return known


def listed_files(folder: Path, name: str) -> Iterator[tuple[str, Fingerprint]]:
    """The files that the lines of a file of the dataset list; lines of another form raise DatasetError."""
    with open_regular(folder / name) as file:
        for line in file:
            try:
                yield from _LINE.validate_json(line).files.items()
            except ValidationError:
                raise DatasetError(f"{folder / name} is broken: a line lists files as none should") from None


def read_checked(folder: Path, name: str, known: Mapping[str, Set[Fingerprint]]) -> bytes:
    """The content of a file of a dataset, which has one of its `known_files` where there are any.

    Anything else, and what cannot be read, raises DatasetError.
    """
    try:
        data = read_bytes(folder / name)
    except OSError as error:
        raise DatasetError(f"cannot read {folder / name}: {error.strerror or error}") from None
    if name in known and fingerprint_of(data) not in known[name]:
        raise DatasetError(f"cannot read {folder / name}: it is not what was written")
    return data


def entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file of a dataset by its path there, sorted within a folder, and what is wrong with it by itself.

    Hidden files, such as the lock and what file managers leave, are of nobody's dataset. Raises OSError.
    """
    for name in (LOCK, MANIFEST, LEDGER):
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            yield name, "not a regular file"
    yield from _within(folder, "")


def is_hidden(name: str) -> bool:
    """Whether a path in a folder is hidden: of a lock, what is being written, or what a file manager left."""
    return any(part.startswith(".") for part in name.split("/"))


def _within(folder: Path, under: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder / under) as scan:
        found = sorted((entry.name, entry.is_symlink(), entry.is_dir(), entry.is_file()) for entry in scan)
    for own, is_link, is_folder, is_file in found:
        name = under + own
        wrong = "a link" if is_link else "" if is_file else "not a regular file"
        if is_folder and not is_link:
            yield from _within(folder, f"{name}/")
        elif wrong or not (name == MANIFEST or is_hidden(name)):
            yield name, wrong
