"""What a dataset holds: size and SHA-256 of every file, in a manifest once it is finished, in a ledger until then."""

import errno
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simworld.errors import DatasetError
from simworld.reading import PathLike, Record, open_own, open_regular, read_bytes, read_json

LOCK, REQUEST, MANIFEST, LEDGER = ".lock", "request.json", "manifest.json", ".written"


class Fingerprint(Record):
    """The size of a file in bytes, and its SHA-256 in hexadecimal."""

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Manifest(Record):
    """`manifest.json`: the files of a finished dataset by name, and the versions of what made them."""

    format_version: int
    software: dict[str, str]
    files: dict[str, Fingerprint]


class Ledger:
    """`.written`: a line of JSON for each file, written before the file appears: what was ever meant to be there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER

    def read(self) -> dict[str, set[Fingerprint]]:
        """The fingerprints that each file may have; of one that is written again, those from before as well."""
        found: dict[str, set[Fingerprint]] = defaultdict(set)
        try:
            with open_regular(self._path) as file:
                # A kill may have left a part of the last line.
                lines = [line for line in file if line.endswith(b"\n")]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DatasetError(f"cannot read {self._path}: {error.strerror or error}") from None
        for line in lines:
            try:
                name, size, sha256 = json.loads(line)
                found[name].add(Fingerprint(size=size, sha256=sha256))
            except (ValueError, TypeError, RecursionError):
                raise DatasetError(f"{self._path} is broken: remove it, and files are taken as they are") from None
        return dict(found)

    def add(self, name: str, fingerprint: Fingerprint, durable: bool) -> None:
        """Write a line, which outlasts a loss of power if it is `durable`; a full disk takes all of it or nothing."""
        line = json.dumps([name, fingerprint.size, fingerprint.sha256]).encode() + b"\n"
        with open_own(self._path) as file:
            end = os.fstat(file.fileno()).st_size
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
                if durable:
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise

    def remove(self) -> None:
        """Take it away: there is a manifest."""
        self._path.unlink(missing_ok=True)


def fingerprint(path: PathLike) -> Fingerprint:
    """The fingerprint of a file, which must be a regular one; raises OSError."""
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Fingerprint(size=os.fstat(file.fileno()).st_size, sha256=digest)


def fingerprint_of(data: bytes) -> Fingerprint:
    """The fingerprint of a file with that content."""
    return Fingerprint(size=len(data), sha256=hashlib.sha256(data).hexdigest())


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a dataset, None where it is not finished; a broken one raises DatasetError."""
    try:
        return read_json(folder / MANIFEST, Manifest)
    except FileNotFoundError:
        return None


def known_files(folder: Path) -> dict[str, set[Fingerprint]]:
    """What is known of the files of a dataset, finished or not; raises DatasetError."""
    known, manifest = Ledger(folder).read(), read_manifest(folder)
    for name, listed in manifest.files.items() if manifest else ():
        known.setdefault(name, set()).add(listed)
    return known


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
    """Every file of a dataset by its path there, sorted, and what is wrong with it by itself; raises OSError.

    Hidden files, such as the lock and what file managers leave, are of nobody's dataset.
    """

    def refuse(error: OSError) -> None:
        raise error

    found = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        found += [Path(place, name) for name in files]
        found += [Path(place, name) for name in folders if Path(place, name).is_symlink()]
    found += [folder / name for name in (LOCK, MANIFEST, LEDGER) if _is_folder(folder / name)]
    named = sorted((path.relative_to(folder).as_posix(), path) for path in found)
    for name, path in named:
        wrong = "a link" if path.is_symlink() else "" if path.is_file() else "not a regular file"
        if wrong or not (name == MANIFEST or is_hidden(name)):
            yield name, wrong


def is_hidden(name: str) -> bool:
    """Whether a path in a folder is hidden: of a lock, what is being written, or what a file manager left."""
    return any(part.startswith(".") for part in name.split("/"))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
