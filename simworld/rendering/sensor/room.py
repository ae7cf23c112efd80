"""Room for what is made on the way to an image."""

import itertools
import math
import threading

import numpy as np
from numpy.typing import NDArray

_MOST_KEPT = 1 << 24
"""Numbers for which room is kept for the next image."""


class Room(threading.local):
    """Arrays that the next call of a thread uses again: new ones have to be cleared first, page by page."""

    def __init__(self) -> None:
        self._kept = np.empty(0, dtype=np.float32)

    def __call__(self, *shapes: tuple[int, ...]) -> list[NDArray[np.float32]]:
        """One of each shape, of any numbers, until the next call."""
        ends = list(itertools.accumulate(map(math.prod, shapes), initial=0))
        room = self._kept
        if room.size < ends[-1]:
            room = np.empty(ends[-1], dtype=np.float32)
            if room.size <= _MOST_KEPT:
                self._kept = room
        return [
            room[start:end].reshape(shape) for shape, (start, end) in zip(shapes, itertools.pairwise(ends), strict=True)
        ]
