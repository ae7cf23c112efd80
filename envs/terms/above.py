"""Whether a thing is above a height, and the goal that it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Achieved, Goal, Goals
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import PropName, term
from simworld.errors import ConfigurationError

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class above(Fact):
    """The origin of a thing is above a height in metres, that of the table being 0."""

    prop: PropName
    height: float

    def told(self, scene: "Scene", goal: Goal) -> Told:
        name, height = self.prop, self.height
        return lambda now: now.pose(name)[2] > height


@term
class prop_above(Goal):
    """A thing is lifted to a height in metres, that of the table being 0, or above.

    Goals are places; how far apart two are is how much the achieved one is below the desired one.
    """

    prop: PropName
    height: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.height < HIGHEST[2]:
            raise ConfigurationError(f"prop_above: height must be from 0 to {HIGHEST[2]:g} m, got {self.height}")

    @property
    def field(self) -> Field:
        return Field("goal", LOWEST, HIGHEST, "m", f"place of the {self.prop}, of which the height counts", ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        name, (x, y, _) = self.prop, scene.body(self.prop).position
        return [x, y, self.height], lambda now: now.pose(name)[:3]

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        is_there: NDArray[np.bool_] = np.asarray(achieved[..., 2] >= desired[..., 2])
        return is_there

    def distance(self, achieved: Goals, desired: Goals) -> Goals:
        """Metres (...,) that are missing in height."""
        missing: Goals = np.maximum(desired[..., 2] - achieved[..., 2], 0.0)
        return missing
