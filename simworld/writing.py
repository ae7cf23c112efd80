"""Writing files that are there whole or not at all, by one process at a time, whatever happens."""

import glob
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from simworld.disk import lock as lock_file
from simworld.disk import sync_folder
from simworld.errors import DatasetError

TEMPORARY = ".tmp-"
"""How the names of files begin that are being written."""


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that becomes it if all goes well; else `path` is as it was. Raises OSError."""
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def clear_leftovers(path: Path) -> None:
    """Remove what processes that are gone have left of writing `path`."""
    for leftover in path.parent.glob(f"{TEMPORARY}*-{glob.escape(path.name)}"):
        number = leftover.name.removeprefix(TEMPORARY).removesuffix(f"-{path.name}")
        if number.isdecimal() and not _is_running(int(number)):
            with suppress(OSError):
                leftover.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, and take away what killed processes have left of writing it. Raises OSError."""
    clear_leftovers(path)
    with atomically(path) as temporary:
        temporary.write_bytes(data)


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
    with open(lock, "ab") as file:
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
