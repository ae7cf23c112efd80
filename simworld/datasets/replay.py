"""Pictures of what was stored: any instant of an episode, by any camera of its scene, at any size, by any renderer.

Nothing is simulated again: the same camera, size, renderer and sensor give the picture that the environment showed.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import read_episodes
from simworld.errors import ConfigurationError
from simworld.reading import PathLike, Record, parse_json
from simworld.scene.model import Labelled, label_of


class _Body(Record):
    category: str
    mass: float
    container: bool
    labelled: Labelled = "yes"


class _Scene(Record):
    bodies: tuple[_Body, ...]


class ReplayPlan:
    """The pictures of a store of episodes: of every `every`-th instant of each, from the first on, by all `cameras`.

    `categories` are those of what may be moved, and of what it may be put into, in any of the scenes. The store is read
    once, an episode at a time.
    """

    def __init__(self, folder: PathLike, cameras: Sequence[str], every: int) -> None:
        if every < 1:
            raise ConfigurationError(f"every: must be at least 1, got {every}")
        if not cameras or len({*cameras}) < len(cameras):
            raise ConfigurationError(f"cameras: must be at least one, each named once, got {[*cameras]}")
        self.cameras, self.every = tuple(cameras), every
        categories, counts = set[str](), list[int]()
        for episode in read_episodes(folder):
            if not counts:
                for camera in self.cameras:
                    episode.scene.camera(camera)  # which says which there are
            counts.append(len(self.cameras) * len(range(0, len(episode) + 1, every)))
            categories |= _categories(episode)
        self.categories = sorted(categories)
        self._ends: NDArray[np.int64] = np.array(list(accumulate(counts)), dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def picture(self, number: int) -> tuple[int, int, str]:
        """The number of an episode, the step and the camera of a picture."""
        episode = int(np.searchsorted(self._ends, number, side="right"))
        begin = int(self._ends[episode - 1]) if episode else 0
        instant, camera = divmod(number - begin, len(self.cameras))
        return episode, instant * self.every, self.cameras[camera]


def _categories(episode: Episode) -> set[str]:
    bodies = parse_json(episode.scene_json, _Scene, "scene").bodies
    seen = [body for body in bodies if body.mass > 0 or body.container]
    return {label for body in seen if (label := label_of(body.category, body.labelled)) is not None}
