"""The goal that things stand upon each other."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.goal import TOLERANCE, Achieved, Goal, Goals
from simworld.envs.terms.instant import ROBOT, Instant
from simworld.envs.terms.placed import resting
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import term
from simworld.errors import ConfigurationError
from simworld.scene.shapes import bounds, turned

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class stacked(Goal):
    """Things stand upon each other, at rest and released: `cube_1` where `at` is or was, `cube_2` on it, and so on.

    Goals are the places of all of them, the lowest first, and 1 where each rests on that below it and none is touched.
    For hindsight replay, a goal that is not so is reached where all are within TOLERANCE of their places.
    """

    stem: str
    count: int
    at: Annotated[str, "goal", "prop"] = "goal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count < 2:
            raise ConfigurationError(f"stacked: count must be at least 2, got {self.count}")

    @property
    def props(self) -> tuple[str, ...]:
        """The names of the things, the lowest first."""
        return tuple(f"{self.stem}_{number}" for number in range(1, self.count + 1))

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield from ((name, ("prop",)) for name in self.props)
        yield from super().names

    @property
    def field(self) -> Field:
        n, what = self.count, f"places of the {self.stem}s, the lowest first; 1 where they stand so, released"
        return Field("goal", (*LOWEST * n, 0.0), (*HIGHEST * n, 1.0), "m", what, ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        x, y, _ = scene.body(self.at).position
        desired, top = list[float](), 0.0
        for name in self.props:
            body = scene.body(name)
            half = bounds(turned(body.parts, body.orientation))[2]
            desired += [x, y, top + half]
            top += 2 * half
        rests = [resting(name).told(scene, self) for name in self.props]
        ids = [scene.instances[name] for name in self.props]

        def stand(now: Instant) -> bool:
            touched = [now.touched(name) for name in self.props]
            on = all(below in above for below, above in zip(ids, touched[1:], strict=False))
            return on and not any(ROBOT in them for them in touched) and all(rest(now) for rest in rests)

        def achieved(now: Instant) -> list[float]:
            return [*(number for name in self.props for number in now.pose(name)[:3]), float(stand(now))]

        return [*desired, 1.0], achieved

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        near: NDArray[np.bool_] = np.logical_and.reduce(self._apart(achieved, desired) <= TOLERANCE, axis=-1)
        stand: NDArray[np.bool_] = (desired[..., -1] < 0.5) | (achieved[..., -1] > 0.5)
        return near & stand

    def distance(self, achieved: Goals, desired: Goals) -> Goals:
        """The square root (...,) of the sum of the squares of how far things are from their places, in metres."""
        apart = self._apart(achieved, desired)
        whole: Goals = np.sqrt(np.add.reduce(apart * apart, axis=-1))
        return whole

    def _apart(self, achieved: Goals, desired: Goals) -> Goals:
        """Metres (..., count) from each thing to its place."""
        difference = (achieved - desired)[..., :-1]
        each = difference.reshape(*difference.shape[:-1], self.count, 3)
        apart: Goals = np.sqrt(np.add.reduce(each * each, axis=-1))
        return apart
