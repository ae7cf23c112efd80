"""Putting a folder in the place of another one, such that there always is one of the two, whenever the process ends.

Linux (renameat2, 2014) and macOS (renamex_np, 2016) let two folders change places at one instant. Elsewhere, and on
file systems that cannot, the old one is put aside first, for an instant: `recover` brings it back.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from simworld.disk import sync_folder

_AT_CWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


def put(part: Path, final: Path) -> None:
    """Rename the folder `part` to `final`, instead of any that is there; both are in one folder. Raises OSError."""
    if final.exists() and not _exchange(part, final):
        old = _aside(final)
        final.rename(old)
        try:
            part.rename(final)
        except OSError:
            old.rename(final)
            raise
    elif part.exists() and not final.exists():
        part.rename(final)
    sync_folder(final.parent)
    remove(part)
    remove(_aside(final))


def recover(final: Path) -> None:
    """Bring back the folder that a `put` which was killed has put aside, or remove it where it was replaced."""
    if is_aside(final):
        _aside(final).rename(final)
    remove(_aside(final))


def is_aside(final: Path) -> bool:
    """Whether a `put` which was killed has left nothing under that name, so that `recover` is needed."""
    return _aside(final).exists() and not final.exists()


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)


def _aside(final: Path) -> Path:
    return final.with_name(f".{final.name}.old")


def _exchange(one: Path, two: Path) -> bool:
    """Let two folders change places; False where this system or file system cannot."""
    if sys.platform not in ("linux", "darwin"):
        return False
    library: Any = ctypes.CDLL(None)
    a, b = os.fsencode(one), os.fsencode(two)
    try:
        if sys.platform == "linux":
            return bool(library.renameat2(_AT_CWD, a, _AT_CWD, b, _RENAME_EXCHANGE) == 0)
        return bool(library.renamex_np(a, b, _RENAME_SWAP) == 0)
    except AttributeError:  # an older C library
        return False
