"""The goal that the tool is at a place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simworld.envs.fields import Field
from simworld.envs.terms.goal import Achieved, Goal
from simworld.envs.terms.term import GoalName, term
from simworld.envs.terms.tool import POSITION

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class tool_at(Goal):
    """The tool centre point is at a marker."""

    goal: GoalName = "goal"

    @property
    def field(self) -> Field:
        return Field("goal", POSITION.low, POSITION.high, "m", "place of the tool", ())

    @property
    def follows(self) -> str:
        return POSITION.name

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        return scene.body(self.goal).position, lambda now: now.world.tool_pose()[:3].tolist()
