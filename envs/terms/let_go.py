"""Whether a thing is released."""

from typing import TYPE_CHECKING

from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Goal
from simworld.envs.terms.instant import ROBOT
from simworld.envs.terms.term import PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class let_go(Fact):
    """The robot does not touch a thing."""

    prop: PropName

    def told(self, scene: "Scene", goal: Goal) -> Told:
        name = self.prop
        return lambda now: ROBOT not in now.touched(name)
