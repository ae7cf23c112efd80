"""The goal that a thing comes to rest at a place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.goal import Achieved, Goal, Goals
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.placed import resting
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import GoalName, PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class rests_at(Goal):
    """A thing rests within so many metres of a marker.

    Goals are (x, y, z, at rest). For hindsight replay, one that is not at rest is reached by a thing that moves too.
    """

    prop: PropName
    goal: GoalName = "goal"
    within: float = 0.05

    @property
    def field(self) -> Field:
        return Field("goal", (*LOWEST, 0.0), (*HIGHEST, 1.0), "m", f"place of the {self.prop}; 1 where it rests", ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        rests, name = resting(self.prop).told(scene, self), self.prop

        def achieved(now: Instant) -> list[float]:
            return [*now.pose(name)[:3], float(rests(now))]

        return [*scene.body(self.goal).position, 1.0], achieved

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        near = self.distance(achieved, desired) <= self.within
        rests: NDArray[np.bool_] = near & ((desired[..., 3] < 0.5) | (achieved[..., 3] > 0.5))
        return rests
