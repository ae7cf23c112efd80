"""Arrays that take long to make, kept on disk under a key of all that they depend on."""

import contextlib
import hashlib
import os
import sys
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

VARIABLE = "SIMWORLD_CACHE"
_DIGEST = "digest"
_warned, _announced = threading.Event(), threading.Event()


def cached(key: bytes, build: Callable[[], Arrays]) -> Arrays:
    """The arrays that `build` makes, read from the cache where a whole file for the key is in it.

    Processes may ask for one key side by side. Without a folder to write to it builds each time, and warns once.
    """
    try:
        path = folder() / f"{hashlib.blake2b(key, digest_size=16).hexdigest()}.npz"
    except RuntimeError as error:  # there is no home folder
        _warn(str(error))
        return build()
    found = _read(path)
    if found is None:
        found = build()
        _write(path, found)
    return found


def announce() -> None:
    """Say once per process, on stderr, that meshes are being simplified: without a word it looks like a hang."""
    if not _announced.is_set():
        _announced.set()
        with contextlib.suppress(RuntimeError):  # there is no home folder
            print(f"simworld: simplifying meshes for the first time; kept in {folder()}", file=sys.stderr, flush=True)


def folder() -> Path:
    """Where files are kept: SIMWORLD_CACHE, or this system's folder for such files."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "simworld"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "simworld" / "cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "simworld"


def _read(path: Path) -> Arrays | None:
    """The arrays of a file, or None where it is missing, cut short or changed."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile):
        return None
    digest = arrays.pop(_DIGEST, None)
    return arrays if digest is not None and digest.tobytes() == _digest(arrays) else None


def _write(path: Path, arrays: Arrays) -> None:
    """Write under a name of its own, then rename: a reader sees the whole file or none."""
    whole: Any = {**arrays, _DIGEST: np.frombuffer(_digest(arrays), np.uint8)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **whole)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        _warn(str(error))


def _digest(arrays: Arrays) -> bytes:
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        state.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape};".encode())
        state.update(np.ascontiguousarray(arrays[name]).data)
    return state.digest()


def _warn(reason: str) -> None:
    """Say once per process that nothing is kept."""
    if not _warned.is_set():
        _warned.set()
        warnings.warn(
            f"simplified meshes cannot be kept for the next process: {reason}; "
            f"set {VARIABLE} to a folder that can be written",
            stacklevel=2,
        )
