"""The goal that a thing is in a container."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.goal import TOLERANCE, Achieved, Goal, Goals
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.placed import placed
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import BinName, PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class prop_in(Goal):
    """A thing rests in a container, released.

    Goals are (x, y, z, placed): the desired one is the middle of the container's floor, placed. For hindsight replay, a
    goal that is not placed is reached where the thing is within TOLERANCE of it.
    """

    prop: PropName
    container: BinName

    @property
    def field(self) -> Field:
        meaning = f"place of the {self.prop}; 1 where it rests in the {self.container}, released"
        return Field("goal", (*LOWEST, 0.0), (*HIGHEST, 1.0), "m", meaning, ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        is_placed, name = placed(self.prop, self.container).told(scene, self), self.prop

        def achieved(now: Instant) -> list[float]:
            return [*now.pose(name)[:3], float(is_placed(now))]

        return [*scene.body(self.container).position, 1.0], achieved

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        wanted, is_placed = desired[..., 3] > 0.5, np.asarray(achieved[..., 3] > 0.5)
        # In every step of an episode a placed goal alone is wanted.
        if wanted.all():
            return is_placed
        return np.where(wanted, is_placed, self.distance(achieved, desired) <= TOLERANCE)
