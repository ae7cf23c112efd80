"""How long the making of something takes, also where it is stopped and goes on."""

import time
from pathlib import Path

from simworld.errors import ConfigurationError
from simworld.writing import write_json

_SAVED_EVERY = 10.0
"""Seconds of work of which a kill loses the time at most."""


class Clock:
    """The seconds that something takes, those of before it was stopped included, in a file beside it.

    It begins now, or where it was `begun`, a `time.perf_counter()`.
    """

    def __init__(self, path: Path, begun: float | None = None) -> None:
        self._path = path
        self._before = self.read(path) if self._file(path).exists() else 0.0
        self._begin = time.perf_counter() if begun is None else begun
        self._file(path).parent.mkdir(parents=True, exist_ok=True)
        self.save()

    @classmethod
    def read(cls, path: Path) -> float:
        """How long something took until now."""
        if not cls._file(path).exists():
            raise ConfigurationError(f"folder: nobody measured how long {path} took; begin in another folder")
        return float(cls._file(path).read_text())

    def tick(self) -> float:
        """How long it took until now; save that, if it was long ago."""
        now = time.perf_counter()
        if now - self._saved >= _SAVED_EVERY:
            self.save()
        return self._before + now - self._begin

    def save(self) -> None:
        """Write what a kill does not take back."""
        self._saved = time.perf_counter()
        write_json(self._file(self._path), round(self._before + self._saved - self._begin, 3))

    @staticmethod
    def _file(path: Path) -> Path:
        return path.with_name(f"{path.name}.seconds")
