"""What a training or a search was told, a line of JSON each, so that one that goes on knows of before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simworld.reading import parse_json
from simworld.writing import write_bytes


class KeptLines:
    """The lines of a file, each of which is JSON of a kind."""

    def __init__(self, path: Path, kind: Any) -> None:
        self._path, self._kind = path, kind

    def take_up(self, stays: Callable[[Any], bool]) -> list[Any]:
        """What is there and is to stay; the rest is taken away. DatasetError where a line is not of its kind."""
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()  # a kill may have cut the last line
        told = [(line, parse_json(line, self._kind, f"{self._path} is broken")) for line in whole]
        left = [(line, value) for line, value in told if stays(value)]
        write_bytes(self._path, "".join(f"{line}\n" for line, _ in left).encode())
        return [value for _, value in left]

    def add(self, value: Any) -> None:
        """Keep one more."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")
