"""Decoded pictures of a dataset in a file, for the next time that they are asked for, by any process."""

import os
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from simworld.agents.data.example import Picture
from simworld.writing import scratch

Marks = NDArray[np.int32]


class Decoded:
    """Room for the pictures (h, w, 3) and instance ids (h, w) of so many images; it goes when its maker does.

    What the disk has no room for is not kept. What killed processes have left is taken away by the next one.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size, self._pixels = size, size[0] * size[1]
        file = scratch("decoded")
        self._path = Path(file.name)
        weakref.finalize(self, remove_scratch, file, os.getpid())

    def get(self, index: int) -> tuple[Picture, Marks] | None:
        """What was put there."""
        try:
            # Each time anew: processes that share an open file share its place in it.
            with open(self._path, "rb", buffering=0) as file:
                file.seek(index * self._row)
                if file.read(1) != b"\1":
                    return None
                data = file.read(self._row - 1)
        except OSError:
            return None
        image = np.frombuffer(data, np.uint8, 3 * self._pixels).reshape(*self._size, 3)
        marks = np.frombuffer(data, np.uint16, offset=3 * self._pixels).reshape(self._size)
        return image, marks.astype(np.int32)

    def put(self, index: int, image: Picture, marks: Marks) -> None:
        """Keep a picture."""
        data = image.tobytes() + marks.astype(np.uint16).tobytes()
        with suppress(OSError), open(self._path, "r+b", buffering=0) as file:
            file.seek(index * self._row + 1)
            if file.write(data) == len(data):
                # Last: who reads meanwhile sees all of it or none.
                file.seek(index * self._row)
                file.write(b"\1")

    def close(self) -> None:
        """Remove them all; what is put there later is not kept."""
        with suppress(OSError):
            self._path.unlink()

    @property
    def _row(self) -> int:
        """Bytes of an image: whether it is there, the picture, and the ids."""
        return 1 + 5 * self._pixels


def remove_scratch(file: IO[bytes], maker: int) -> None:
    """Close and remove a file, which forked processes leave to its maker."""
    file.close()
    if os.getpid() == maker:
        with suppress(OSError):
            os.unlink(file.name)
