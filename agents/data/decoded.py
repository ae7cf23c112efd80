"""Decoded pictures of a dataset in a file, for the next time that they are asked for, by any process."""

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.data.example import Picture

Marks = NDArray[np.int32]


class Decoded:
    """Room for the pictures (h, w, 3) and instance ids (h, w) of so many images; it goes when its maker does.

    What the disk has no room for is not kept.
    """

    def __init__(self, count: int, size: tuple[int, int]) -> None:
        self._folder = tempfile.mkdtemp(prefix="simworld-decoded-")
        self._size, self._count = size, count
        self._pixels = size[0] * size[1]
        (Path(self._folder) / "kept").write_bytes(bytes(count))
        (Path(self._folder) / "rows").touch()
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._open()

    def get(self, index: int) -> tuple[Picture, Marks] | None:
        """What was put there."""
        if not self._kept[index]:
            return None
        self._rows.seek(index * 5 * self._pixels)
        data = self._rows.read(5 * self._pixels)
        image = np.frombuffer(data, np.uint8, 3 * self._pixels).reshape(*self._size, 3)
        marks = np.frombuffer(data, np.uint16, offset=3 * self._pixels).reshape(self._size)
        return image, marks.astype(np.int32)

    def put(self, index: int, image: Picture, marks: Marks) -> None:
        """Keep a picture."""
        try:
            self._rows.seek(index * 5 * self._pixels)
            self._rows.write(image.tobytes() + marks.astype(np.uint16).tobytes())
            self._rows.flush()
        except OSError:
            return
        self._kept[index] = 1

    def _open(self) -> None:
        self._rows: Any = open(Path(self._folder) / "rows", "r+b", buffering=0)  # noqa: SIM115 - as long as this is
        weakref.finalize(self, self._rows.close)
        self._kept = np.memmap(Path(self._folder) / "kept", np.uint8, "r+")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_rows", "_kept")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()
