"""A shard of lines while it is being made: each is written as soon as it is known, so that a kill loses one at most."""

import os
from pathlib import Path
from typing import Self

from simworld.disk import lock
from simworld.errors import DatasetError
from simworld.reading import mended, open_own
from simworld.writing import reporting


class Journal:
    """The lines of a shard under its hidden name, open for writing by one process in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        with reporting(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_own(self._path)
        if not lock(self._file):
            self._file.close()
            raise DatasetError(f"{self._path} is being written by another process")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def lines(self) -> list[bytes]:
        """The whole lines that are there; a part of one, as a kill leaves it, is taken away."""
        return mended(self._file).splitlines(keepends=True)

    def append(self, line: bytes) -> None:
        """Write a line."""
        with reporting(self._path):
            self._write(line)

    def settle(self, lines: list[bytes]) -> None:
        """Leave these lines, in this order, and make them last."""
        with reporting(self._path):
            if self.lines() != lines:
                self._file.truncate(0)
                self._write(b"".join(lines))
            os.fsync(self._file.fileno())

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) :]
