"""Writing files that are there whole or not at all, by one process at a time, whatever happens."""

import hashlib
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from simworld.disk import lock as lock_file, sync_folder
from simworld.errors import DatasetError
from simworld.reading import open_own

TEMPORARY = ".tmp-"
"""How the names of files begin that are being written."""
_LEFT_BEHIND = 3600.0
"""Age in seconds of such a file whose writer, on another machine, is taken to be dead."""
_SYNCED_AT_ONCE = 8


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that becomes it if all goes well; else `path` is as it was. Raises OSError.

    What killed processes have left of writing in that folder is taken away.
    """
    _clear_leftovers(path.parent)
    temporary = _beside(path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically. Raises OSError."""
    with atomically(path) as temporary:
        temporary.write_bytes(data)


def write_soon(path: Path, data: bytes) -> None:
    """Write a file that is whole or not there after a kill, and after a loss of power once `sync_files` has seen it.

    For many small files, which take longer to be made to last one by one than to be written. Raises OSError.
    """
    temporary = _beside(path)
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def scratch(name: str) -> IO[bytes]:
    """A new file among the temporary ones, of this user alone, which is to be removed. Raises OSError.

    What killed processes have left of such files is taken away; on Windows, of those that nobody has open.
    """
    path = _beside(Path(tempfile.gettempdir()) / name)
    _clear_leftovers(path.parent)
    return open(path, "xb", opener=_open_private)


def sync_files(paths: Iterable[Path]) -> None:
    """Make files, and their names, outlast a loss of power: several at a time, as most of it is waiting."""
    paths = list(paths)
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, paths))
    for folder in sorted({path.parent for path in paths}):
        sync_folder(folder)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; see `write_bytes`."""
    write_bytes(path, to_json(value))


def to_json(value: Any) -> bytes:
    """JSON in UTF-8, the same bytes for the same value."""
    text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


@contextmanager
def exclusive(lock: Path, what: Path) -> Iterator[None]:
    """Hold a lock file; if another process holds it, DatasetError says that `what` is being written.

    The lock belongs to the process and vanishes with it, however it ends; the empty file stays.
    """
    with ExitStack() as stack:
        with reporting(lock):
            file = stack.enter_context(open_own(lock))
        if not lock_file(file):
            raise DatasetError(f"{what} is being written by another process")
        yield


@contextmanager
def reporting(path: Path, consolation: str = "") -> Iterator[None]:
    """Turn an OSError while writing `path` into a DatasetError of one clear line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise DatasetError(f"cannot write {path}: {reason}{consolation}") from error


def _beside(path: Path) -> Path:
    """A name for what is to become a file, which tells whose it is."""
    return path.with_name(f"{TEMPORARY}{_machine()}-{os.getpid()}-{os.urandom(4).hex()}-{path.name}")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:  # Windows syncs only what may be written
        os.fsync(file.fileno())


@lru_cache(maxsize=1024)  # once for each folder: it looks at every name there
def _clear_leftovers(folder: Path) -> None:
    """Remove what processes that are gone have left of writing in a folder."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        name = re.fullmatch(rf"{TEMPORARY}([0-9a-f]{{8}})-(\d+)-[0-9a-f]{{8}}-.+", leftover.name)
        with suppress(OSError):
            if name and _is_gone(name[1], int(name[2]), leftover.lstat().st_mtime):
                leftover.unlink()


def _is_gone(machine: str, process: int, written: float) -> bool:
    """Whether nobody goes on with a temporary file of that age."""
    return not _is_running(process) if machine == _machine() else written < time.time() - _LEFT_BEHIND


@cache
def _machine() -> str:
    """What tells machines, and containers, that share a folder apart: a process may be running on another one."""
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()


def _is_running(process: int) -> bool:
    """Whether there may be such a process; on Windows, where nobody can remove what it has open, only this one."""
    if sys.platform == "win32":
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} is not JSON data")
