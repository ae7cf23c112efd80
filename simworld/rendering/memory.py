"""What was made from a scene is kept for the next frame."""

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
    """Makes something of a scene once, for the last few scenes; threads may ask side by side.

    A Scene is immutable, so its identity is enough.
    """

    def __init__(self, make: Callable[[Scene], Made], most: int = 16) -> None:
        self._make = make
        self._most = most
        self._kept: dict[int, tuple[Scene, Made]] = {}
        self._lock = Lock()

    def __call__(self, scene: Scene) -> Made:
        """What is made of the scene."""
        kept = self._kept.get(id(scene))
        if kept is None:
            # Kept with the scene, so that no other can get its id.
            kept = (scene, self._make(scene))
            with self._lock:
                while len(self._kept) >= self._most:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[id(scene)] = kept
        return kept[1]
