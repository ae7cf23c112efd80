"""What each system does in its own way with files: locks, room that is set aside, and folders made to last."""

import errno
import os
import sys
from pathlib import Path
from typing import IO

_CHUNK = 2**20


def lock(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed, however the process ends; False where another process holds it."""
    from filelock import lock_descriptor  # which brings asyncio

    return lock_descriptor(file.fileno(), blocking=False)


def reserve(path: Path, size: int) -> None:
    """See that there is room for `size` bytes beside a path that is free. Raises OSError."""
    try:
        with open(path, "wb") as file:
            if not _allocated(file.fileno(), max(size, 1)):
                for begin in range(0, size, _CHUNK):
                    file.write(bytes(min(_CHUNK, size - begin)))
                file.flush()
                os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


def _allocated(descriptor: int, size: int) -> bool:
    """Whether the system could set the room aside by itself."""
    if not hasattr(os, "posix_fallocate"):  # macOS, Windows
        return False
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):  # this kind of file system
            return False
        raise
    return True


def sync_folder(path: Path) -> None:
    """Make the names in a folder outlast a loss of power, where the system opens folders."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # which some network file systems say
            raise
    finally:
        os.close(descriptor)
