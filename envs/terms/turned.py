"""The goal that a thing is turned in some way."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.goal import Achieved, Goal, Goals
from simworld.envs.terms.term import PropName, TurnName, term
from simworld.envs.terms.tool import with_positive_w

if TYPE_CHECKING:
    from simworld.scene.model import Scene

_LEAST = 1e-9


@term
class turned(Goal):
    """A thing is turned as a copy of it is, within so many radians, wherever it is.

    Goals are orientations: quaternions x, y, z, w with w >= 0.
    """

    prop: PropName
    goal: TurnName = "goal_turn"
    within: float = 0.2

    @property
    def field(self) -> Field:
        meaning = f"orientation of the {self.prop}: quaternion x, y, z, w with w >= 0"
        return Field("goal", (-1.0, -1.0, -1.0, 0.0), (1.0,) * 4, "", meaning, ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        name = self.prop
        return with_positive_w(list(scene.body(self.goal).orientation)), lambda now: with_positive_w(now.pose(name)[3:])

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        near: NDArray[np.bool_] = self.distance(achieved, desired) <= self.within
        return near

    def distance(self, achieved: Goals, desired: Goals) -> Goals:
        """Radians (...,) between orientations (..., 4)."""
        lengths = np.add.reduce(achieved * achieved, axis=-1) * np.add.reduce(desired * desired, axis=-1)
        alike = np.abs(np.add.reduce(achieved * desired, axis=-1)) / np.sqrt(np.maximum(lengths, _LEAST))
        angle: Goals = 2 * np.arccos(np.minimum(alike, 1.0))
        return angle
