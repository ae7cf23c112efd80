"""Output folders: one dataset each, written atomically, by one process at a time, and resumable after any kill.

A folder holds `request.json` (what was asked for, written first), the files of the dataset and, once it is finished,
`manifest.json` (size and SHA-256 of every file), until then `.written` (the same, as far as it is). `.lock` is locked
by the process that writes.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from simworld.datasets.manifest import (
    LOCK,
    MANIFEST,
    REQUEST,
    Fingerprint,
    Ledger,
    Manifest,
    entries,
    fingerprint,
    fingerprint_of,
    is_hidden,
    known_files,
    read_manifest,
)
from simworld.errors import DatasetError
from simworld.reading import PathLike, read_json
from simworld.writing import TEMPORARY, atomically, exclusive, reporting, to_json, write_json

FORMAT_VERSION = 3

_SOFTWARE = ("numpy", "pillow", "pybullet", "pycocotools")


class OutputFolder:
    """The folder of one dataset, open for writing in a `with` statement.

    `request` is everything that determines the content, as JSON data. Opening a folder that exists goes on with it if
    its request is the same. Another request, other content, files that are not as they were written or another writer
    raise DatasetError, and so does whatever cannot be written, with what was finished intact. `unknown` are the files
    that were there and of which nobody wrote down what they hold; `may_hold` says of a name whether the request makes
    such a file, and others are refused. Hidden files are of nobody's dataset.
    """

    def __init__(
        self, path: PathLike, request: Mapping[str, Any], may_hold: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.path = Path(path)
        self._may_hold = may_hold
        self.unknown: frozenset[str] = frozenset()
        self._ledger = Ledger(self.path)
        self.request: dict[str, Any] = json.loads(to_json(request))

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self.path.exists() and not self.path.is_dir():
                raise DatasetError(f"{self.path} is a file, and a folder is needed")
            with reporting(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                self._check()  # before the lock, so that nothing is put into the folder of someone else
                stack.enter_context(exclusive(self.path / LOCK, self.path))
                self._check()  # again, as another process may have begun and ended in between
                for leftover in self.path.rglob(f"{TEMPORARY}*"):
                    leftover.unlink()
                self._check_files()
            if not self.has(REQUEST):
                self.write_json(REQUEST, self.request)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def has(self, *names: str) -> bool:
        """Whether all these files are there; a file is there only once it is whole."""
        return all((self.path / name).is_file() for name in names)

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file atomically; `name` is its path in the folder."""
        path = self.path / name
        with reporting(path, f"; what was finished is intact in {self.path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomically(path) as temporary:
                temporary.write_bytes(data)
                self._ledger.add(name, fingerprint_of(data), durable=path.exists())

    def write_json(self, name: str, value: Any) -> None:
        """Write JSON atomically; NumPy's numbers and arrays are plain numbers and lists in it."""
        self.write_bytes(name, to_json(value))

    def finish(self) -> None:
        """Write the manifest: what `verify` checks the folder against."""
        path = self.path / MANIFEST
        with reporting(path, f"; what was finished is intact in {self.path}"):
            files = self._check_files()
            manifest = Manifest(format_version=FORMAT_VERSION, software=software(), files=files)
            write_json(path, manifest.model_dump())
            self._ledger.remove()

    def _check_files(self) -> dict[str, Fingerprint]:
        """The files that are there; one that is not as it was written, or not of what is finished, is refused."""
        known, here = known_files(self.path), dict[str, Fingerprint]()
        for name, wrong in entries(self.path):
            path = self.path / name
            if wrong:
                raise DatasetError(f"{path} is {wrong}, and no part of the dataset: remove it")
            here[name] = fingerprint(path)
            if here[name] not in known.get(name, {here[name]}):
                raise DatasetError(f"{path} is not what was written: remove it, and the same command makes it again")
        self.unknown = frozenset(here.keys() - known.keys())
        if (manifest := read_manifest(self.path)) is not None:
            for name in sorted(self.unknown):
                raise DatasetError(f"{self.path} holds more than it was finished with, such as {name}: remove it")
            if known == {name: {listed} for name, listed in manifest.files.items()}:
                self._ledger.remove()  # as a kill left it
        for name in sorted(self.unknown - {REQUEST}):
            if not self._may_hold(name):
                raise DatasetError(f"{self.path} holds more than was asked for, such as {name}: remove it")
        return here

    def _check(self) -> None:
        """Refuse a folder with another request or with files but no request."""
        if self.has(REQUEST):
            if difference := _difference(read_json(self.path / REQUEST, dict[str, Any]), self.request):
                raise DatasetError(f"{self.path} holds another dataset: {difference}; choose another folder")
            return
        names = sorted(os.listdir(self.path))
        foreign = [name for name in names if not is_hidden(name)]
        if foreign:
            raise DatasetError(f"{self.path} holds other files, such as {foreign[0]}; choose another folder")


def content_digest(folder: PathLike) -> str:
    """SHA-256 of the manifest, which stands for the whole content; an unfinished dataset raises DatasetError."""
    try:
        return fingerprint(Path(folder) / MANIFEST).sha256
    except OSError:
        raise DatasetError(f"{Path(folder)} is not finished: run the command that makes it again, to its end") from None


def verify(folder: PathLike) -> list[str]:
    """What is wrong with a finished dataset, one line each: files missing, changed or not in the manifest.

    Links are not followed, and wrong as well, as is whatever is no regular file.
    """
    folder = Path(folder)
    try:
        manifest = read_manifest(folder)
        here = dict(entries(folder))
    except (OSError, DatasetError) as error:
        return [f"{MANIFEST}: the dataset cannot be checked: {error}"]
    if manifest is None:
        return [f"{MANIFEST}: missing, so the dataset is not finished"]
    listed = manifest.files
    return [
        *([] if REQUEST in listed else [f"{MANIFEST}: of another dataset, as it does not list {REQUEST}"]),
        *(f"{name}: missing" for name in listed if name not in here),
        *(f"{name}: {wrong}" for name, wrong in here.items() if wrong),
        *(f"{name}: changed" for name in listed if here.get(name) == "" and _changed(folder / name, listed[name])),
        *(f"{name}: not in the manifest" for name, wrong in here.items() if not wrong and name not in listed),
    ]


def software() -> dict[str, str]:
    """Versions of what the content of a dataset depends on."""
    from simworld import __version__

    return {"simworld": __version__} | {name: metadata.version(name) for name in _SOFTWARE}


def _changed(path: Path, listed: Fingerprint) -> bool:
    with suppress(OSError):
        return path.stat().st_size != listed.size or fingerprint(path) != listed
    return True


def _difference(there: Any, here: Any, key: str = "") -> str | None:
    """The first key whose value differs, and both values."""
    if isinstance(there, dict) and isinstance(here, dict):
        names = [*here, *(name for name in there if name not in here)]
        found = (_difference(there.get(n), here.get(n), f"{key}.{n}" if key else n) for n in names)
        return next(filter(None, found), None)
    if there == here:
        return None
    was, now = (text if len(text := json.dumps(v)) < 80 else text[:77] + "..." for v in (there, here))
    return f"{key or 'the request'} is {was} there and {now} here"
