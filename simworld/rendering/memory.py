"""What was made from a scene is kept for the next frame."""

import weakref
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from simworld.scene.model import Scene

Key = TypeVar("Key")
Made = TypeVar("Made")


def kept(made: dict[Key, Made], most: int, key: Key, make: Callable[[Key], Made]) -> Made:
    """What is made of a key, from a dict that holds the last few."""
    if key not in made:
        fresh = make(key)
        while len(made) >= most:
            made.pop(next(iter(made)))
        made[key] = fresh
    return made[key]


class PerScene(Generic[Made]):
    """Makes something of a scene once, for the last few scenes that there still are; threads may ask side by side.

    A Scene is immutable, so its identity is enough. What is made must not hold it, or neither would ever go.
    """

    def __init__(self, make: Callable[[Scene], Made], most: int = 16) -> None:
        self._make = make
        self._most = most
        self._kept: dict[int, tuple[weakref.ref[Scene], Made]] = {}
        self._lock = Lock()

    def __call__(self, scene: Scene) -> Made:
        """What is made of the scene."""
        kept = self._kept.get(id(scene))
        if kept is None:
            key, entries = id(scene), self._kept
            kept = (weakref.ref(scene, lambda _: entries.pop(key, None)), self._make(scene))
            with self._lock:
                self._drop(len(entries) - self._most + 1)
                entries[key] = kept
        return kept[1]

    @property
    def made(self) -> list[Made]:
        """What is kept, the oldest first."""
        return [made for _, made in list(self._kept.values())]

    def drop_oldest(self) -> None:
        """Forget what was made first."""
        with self._lock:
            self._drop(1)

    def _drop(self, count: int) -> None:
        # A copy: scenes may go, and what is kept of them, at any time.
        for key in list(self._kept)[: max(count, 0)]:
            self._kept.pop(key, None)
