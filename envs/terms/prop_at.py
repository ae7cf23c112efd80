"""The goal that a thing is at a place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simworld.envs.fields import Field
from simworld.envs.terms.goal import Achieved, Goal
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import GoalName, PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class prop_at(Goal):
    """A thing is at a marker."""

    prop: PropName
    goal: GoalName = "goal"

    @property
    def field(self) -> Field:
        return Field("goal", LOWEST, HIGHEST, "m", f"place of the {self.prop}", ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        name = self.prop
        return scene.body(self.goal).position, lambda now: now.pose(name)[:3]
