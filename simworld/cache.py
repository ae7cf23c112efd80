"""Arrays that take long to make, kept on disk under a key of all that they depend on."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.keeping import make_room, touch
from simworld.places import keep, places, seal, unseal

KEPT = 32768
"""How many files are kept, of 0.02 MB each."""

Arrays = dict[str, NDArray[Any]]


def cached(key: bytes, build: Callable[[], Arrays]) -> Arrays:
    """The arrays that `build` makes, read from where a whole file for the key is kept.

    Processes may ask for one key side by side. Where no folder can be written it builds each time, and warns once.
    """
    name, where = f"{hashlib.blake2b(key, digest_size=16).hexdigest()}.arrays", places()
    for place in where:
        if (data := place.read(name)) is not None and (content := unseal(data)) is not None:
            touch(place.path / name)
            return _decoded(content)
    made = build()
    keep(where, name, seal(_encoded(made)))
    for place in where:
        make_room(place.path / name, KEPT)
    return made


def _decoded(content: bytes) -> Arrays:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _encoded(arrays: Arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
