"""Whether the goal is reached."""

from typing import TYPE_CHECKING

from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Goal, Goals
from simworld.envs.terms.term import term
from simworld.geometry import Array

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class reached(Fact):
    """The goal is reached."""

    of_goals = True

    def told(self, scene: "Scene", goal: Goal) -> Told:
        return lambda now: now.reached

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        return goal.reached(achieved, desired).astype(float)
