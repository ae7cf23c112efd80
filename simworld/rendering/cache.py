"""Arrays that take long to make, kept on disk under a key of all that they depend on."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.rendering.places import keep, places

Arrays = dict[str, NDArray[Any]]

_DIGEST = "digest"


def cached(key: bytes, build: Callable[[], Arrays]) -> Arrays:
    """The arrays that `build` makes, read from where a whole file for the key is kept.

    Processes may ask for one key side by side. Where no folder can be written it builds each time, and warns once.
    """
    name, where = f"{hashlib.blake2b(key, digest_size=16).hexdigest()}.npz", places()
    for place in where:
        if (data := place.read(name)) is not None and (found := _decoded(data)) is not None:
            return found
    made = build()
    keep(where, name, _encoded(made))
    return made


def _decoded(data: bytes) -> Arrays | None:
    """The arrays of a file, or None where it is cut short or changed."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, KeyError, AttributeError, NotImplementedError, zipfile.BadZipFile):
        return None  # AttributeError: what is one array has no names
    digest = arrays.pop(_DIGEST, None)
    return arrays if digest is not None and digest.tobytes() == _digest(arrays) else None


def _encoded(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{**arrays, _DIGEST: np.frombuffer(_digest(arrays), np.uint8)})  # type: ignore[arg-type]
    return file.getvalue()


def _digest(arrays: Arrays) -> bytes:
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        state.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape};".encode())
        state.update(np.ascontiguousarray(arrays[name]).data)
    return state.digest()
