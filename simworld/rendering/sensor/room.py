"""Room for what is made on the way to an image."""

import itertools
import math
import threading

import numpy as np
from numpy.typing import NDArray


class Room(threading.local):
    """Arrays that the next call of a thread uses again: new ones have to be cleared first, page by page."""

    def __init__(self) -> None:
        self._kept = np.empty(0, dtype=np.float32)

    def __call__(self, *shapes: tuple[int, ...]) -> list[NDArray[np.float32]]:
        """One of each shape, of any numbers, until the next call."""
        ends = list(itertools.accumulate(map(math.prod, shapes), initial=0))
        if self._kept.size < ends[-1]:
            self._kept = np.empty(ends[-1], dtype=np.float32)
        return [
            self._kept[start:end].reshape(shape)
            for shape, (start, end) in zip(shapes, itertools.pairwise(ends), strict=True)
        ]
