"""Output folders: one dataset each, written atomically, by one process at a time, and resumable after any kill.

A folder holds `request.json` (what was asked for, written first), the files of the dataset and, once it is finished,
`manifest.json` (size and SHA-256 of every file). `.lock` is locked by the process that writes.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np

from simworld.errors import DatasetError

FORMAT_VERSION = 3
LOCK, REQUEST, MANIFEST = ".lock", "request.json", "manifest.json"

_TEMPORARY = ".tmp-"
_SOFTWARE = ("numpy", "pillow", "pybullet", "pycocotools")


class OutputFolder:
    """The folder of one dataset, open for writing in a `with` statement.

    `request` is everything that determines the content, as JSON data. Opening a folder that exists goes on with it if
    its request is the same. Another request, other content or another writer raises DatasetError, and so does
    whatever cannot be written, with what was finished intact.
    """

    def __init__(self, path: Path, request: Mapping[str, Any]) -> None:
        self.path = Path(path)
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
                for leftover in self.path.rglob(f"{_TEMPORARY}*"):
                    leftover.unlink()
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
            write_bytes(path, data)

    def write_json(self, name: str, value: Any) -> None:
        """Write JSON atomically; NumPy's numbers and arrays are plain numbers and lists in it."""
        self.write_bytes(name, to_json(value))

    def finish(self) -> None:
        """Write the manifest: what `verify` checks the folder against."""
        with reporting(self.path / MANIFEST, f"; what was finished is intact in {self.path}"):
            files = {name: _fingerprint(self.path / name) for name in _files(self.path)}
        content = {"format_version": FORMAT_VERSION, "software": software(), "files": files}
        self.write_json(MANIFEST, content)

    def _check(self) -> None:
        """Refuse a folder with another request or with files but no request."""
        if self.has(REQUEST):
            if difference := _difference(read_json(self.path / REQUEST), self.request):
                raise DatasetError(f"{self.path} holds another dataset: {difference}; choose another folder")
            return
        names = sorted(os.listdir(self.path))
        foreign = [name for name in names if name != LOCK and not name.startswith(_TEMPORARY)]
        if foreign:
            raise DatasetError(f"{self.path} holds other files, such as {foreign[0]}; choose another folder")


def verify(folder: Path) -> list[str]:
    """What is wrong with a finished dataset, one line each: files missing, changed or not in the manifest."""
    try:
        listed: dict[str, Any] = read_json(folder / MANIFEST)["files"]
        here = _files(folder)
        changed = [name for name in listed if name in here and _fingerprint(folder / name) != listed[name]]
    except FileNotFoundError:
        return [f"{MANIFEST}: missing, so the dataset is not finished"]
    except (OSError, DatasetError, TypeError, KeyError) as error:
        return [f"{MANIFEST}: the dataset cannot be checked: {error}"]
    return [
        *(f"{name}: missing" for name in listed if name not in here),
        *(f"{name}: changed" for name in changed),
        *(f"{name}: not in the manifest" for name in here if name not in listed),
    ]


def content_digest(folder: Path) -> str:
    """SHA-256 of the manifest, which stands for the whole content; an unfinished dataset raises DatasetError."""
    try:
        return str(_fingerprint(folder / MANIFEST)["sha256"])
    except OSError:
        raise DatasetError(f"{folder} is not finished: run the command that makes it again, to its end") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: whatever happens, it is there whole or as it was before. Raises OSError."""
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; see `write_bytes`."""
    write_bytes(path, to_json(value))


def read_json(path: Path) -> Any:
    """Read JSON; what is not JSON raises DatasetError, what is not there FileNotFoundError."""
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path} is broken: {error}") from None


def to_json(value: Any) -> bytes:
    """JSON in UTF-8, the same bytes for the same value."""
    text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def sync_folder(path: Path) -> None:
    """Make the names in a folder outlast a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(lock: Path, what: Path) -> Iterator[None]:
    """Hold a lock file; if another process holds it, DatasetError says that `what` is being written.

    The lock belongs to the process and vanishes with it, however it ends; the empty file stays.
    """
    with open(lock, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatasetError(f"{what} is being written by another process") from None
        yield


def software() -> dict[str, str]:
    """Versions of what the content of a dataset depends on."""
    from simworld import __version__

    return {"simworld": __version__} | {name: metadata.version(name) for name in _SOFTWARE}


@contextmanager
def reporting(path: Path, consolation: str = "") -> Iterator[None]:
    """Turn an OSError while writing `path` into a DatasetError of one clear line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise DatasetError(f"cannot write {path}: {reason}{consolation}") from error


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is not JSON data")


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


def _files(folder: Path) -> list[str]:
    """Paths of all files of a dataset, sorted."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in (LOCK, MANIFEST))


def _fingerprint(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
