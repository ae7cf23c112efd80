"""Output folders: one dataset each, written atomically, by one process at a time, and resumable after any kill.

A folder holds `request.json` (what was asked for, written first), the files of the dataset and, once it is finished,
`manifest.json` (size and SHA-256 of every file), until then `.written` (the same, as far as it is). `.lock` is locked
by the process that writes. Files that lines of a shard list (see `manifest`) are known by the shard. What is being made
of a shard has its name with a dot in front, until it is whole and published.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from simworld.datasets.store.fingerprint import Fingerprint, fingerprint, write_chunks
from simworld.datasets.store.ledger import Ledger
from simworld.datasets.store.manifest import (
    LISTING,
    LOCK,
    MANIFEST,
    REQUEST,
    Manifest,
    entries,
    is_hidden,
    known_files,
    listed_files,
    read_manifest,
)
from simworld.datasets.store.request import FORMAT_VERSION, difference
from simworld.disk import sync_folder
from simworld.errors import DatasetError
from simworld.packages import BULLET
from simworld.reading import PathLike, read_json
from simworld.writing import TEMPORARY, atomically, exclusive, reporting, sync_files, to_json, write_json

_SOFTWARE = ("numpy", "pillow", BULLET, "pycocotools")


def hidden(name: str) -> str:
    """The name of a file of a dataset while it is being made."""
    folder, slash, own = name.rpartition("/")
    return f"{folder}{slash}.{own}"


class OutputFolder:
    """The folder of one dataset, open for writing in a `with` statement.

    `request` is everything that determines the content, as JSON data. Opening a folder that exists goes on with it if
    its request is the same. Another request, other content, files that are not as they were written or another writer
    raise DatasetError, and so does whatever cannot be written, with what was finished intact. `may_hold` says of a name
    whether the request makes such a file, and `listed` whether a shard lists it; others are refused. Hidden files are
    of nobody's dataset.

    `unknown` are the files that were there and of which nobody wrote down what they hold, and `incomplete` the shards
    that list files which are not there.
    """

    def __init__(
        self,
        path: PathLike,
        request: Mapping[str, Any],
        may_hold: Callable[[str], bool] = lambda _: True,
        listed: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.path = Path(path)
        self.unknown: frozenset[str] = frozenset()
        self.incomplete: frozenset[str] = frozenset()
        self.request: dict[str, Any] = json.loads(to_json(request))
        self._may_hold, self._listed = may_hold, listed
        self._ledger = Ledger(self.path)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            check_own(self.path)
            with reporting(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                self._check()  # before the lock, so that nothing is put into the folder of someone else
                stack.enter_context(exclusive(self.path / LOCK, self.path))
                self._check()  # again, as another process may have begun and ended in between
                for leftover in self.path.rglob(f"{TEMPORARY}*"):
                    leftover.unlink()
                self.incomplete = frozenset(
                    name for name in self._check_files() if name.endswith(LISTING) and not self._has_all(name)
                )
            if not self.has(REQUEST):
                self.write_json(REQUEST, self.request)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def has(self, *names: str) -> bool:
        """Whether all these files are there; a file is there only once it is whole."""
        return all((self.path / name).is_file() for name in names)

    def is_whole(self, name: str) -> bool:
        """Whether a file is there as it was written, and all that it lists."""
        return self.has(name) and name not in self.unknown | self.incomplete

    def accept(self, names: Iterable[str]) -> None:
        """Take unknown files, which whoever holds the folder has checked, as they are."""
        self.unknown -= frozenset(names)

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file atomically, of one piece after the other; `name` is its path in the folder."""
        path = self.path / name
        with reporting(path, self._consolation):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomically(path) as temporary:
                self._ledger.add(name, write_chunks(temporary, chunks), durable=path.exists())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file atomically."""
        self.write(name, [data])

    def write_json(self, name: str, value: Any) -> None:
        """Write JSON atomically; NumPy's numbers and arrays are plain numbers and lists in it."""
        self.write_bytes(name, to_json(value))

    def publish(self, name: str) -> None:
        """Let a file that is whole appear, which has been made under its `hidden` name."""
        path, made = self.path / name, self.path / hidden(name)
        with reporting(path, self._consolation):
            sync_files([made])
            self._ledger.add(name, fingerprint(made), durable=path.exists())
            os.replace(made, path)
            sync_folder(path.parent)

    def take_back(self, name: str) -> None:
        """Let a file that is not whole be made again: what is `unknown` from the beginning, the rest by its gaps."""
        path = self.path / name
        with reporting(path):
            if name in self.unknown:
                path.unlink()
            elif path.exists():
                os.replace(path, self.path / hidden(name))

    def finish(self) -> None:
        """Write the manifest: what `verify` checks the folder against."""
        path = self.path / MANIFEST
        with reporting(path, self._consolation):
            manifest = Manifest(format_version=FORMAT_VERSION, software=software(), files=self._check_files())
            write_json(path, manifest.model_dump())
            self._ledger.remove()

    @property
    def _consolation(self) -> str:
        return f"; what was finished is intact in {self.path}"

    def _check_files(self) -> dict[str, Fingerprint]:
        """The files that are there and not listed; one that is not as it was written, or foreign, is refused."""
        known, here = known_files(self.path), dict[str, Fingerprint]()
        for name, wrong in entries(self.path):
            if wrong:
                raise DatasetError(f"{self.path / name} is {wrong}, and no part of the dataset: remove it")
            if self._listed(name):
                continue
            here[name] = fingerprint(self.path / name)
            if here[name] not in known.get(name, {here[name]}):
                self._refuse_changed(name)
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

    def _has_all(self, name: str) -> bool:
        """Whether all files that a shard lists are there; one that is not as it was written is refused."""
        if name in self.unknown:
            return True  # nobody knows, and it is made again
        whole = True
        for own, listed in listed_files(self.path, name):
            if not self.has(own):
                whole = False
            elif fingerprint(self.path / own) != listed:
                self._refuse_changed(own)
        return whole

    def _refuse_changed(self, name: str) -> None:
        raise DatasetError(
            f"{self.path / name} is not what was written: remove it, and the same command makes it again"
        )

    def _check(self) -> None:
        """Refuse a folder with another request or with files but no request."""
        check_own(self.path)
        if self.has(REQUEST) and (differs := difference(read_json(self.path / REQUEST, dict[str, Any]), self.request)):
            raise DatasetError(f"{self.path} holds another dataset: {differs}; choose another folder")


def check_own(path: Path) -> None:
    """Raise DatasetError for a file, and for a folder with files but no request: no dataset is written there."""
    if path.exists() and not path.is_dir():
        raise DatasetError(f"{path} is a file, and a folder is needed")
    with reporting(path):
        there = sorted(os.listdir(path)) if path.exists() else []
    foreign = [name for name in there if not is_hidden(name)]
    if foreign and REQUEST not in foreign:
        raise DatasetError(f"{path} holds other files, such as {foreign[0]}; choose another folder")


def software() -> dict[str, str]:
    """Versions of what the content of a dataset depends on."""
    from simworld import __version__

    found = {"simworld": __version__}
    for name in _SOFTWARE:
        with suppress(metadata.PackageNotFoundError):  # an extra, which nothing here needed
            found[name] = metadata.version(name)
    return found
