"""A reward by the stages of bringing a thing somewhere: reach it, hold it, lift it, carry it, let it go."""

import math
from typing import TYPE_CHECKING

from simworld.envs.terms.goal import Goal
from simworld.envs.terms.instant import TOOL, Instant, place
from simworld.envs.terms.near import nearness
from simworld.envs.terms.reward import Reward, Value
from simworld.envs.terms.term import PropName, term
from simworld.errors import ConfigurationError

if TYPE_CHECKING:
    from simworld.scene.model import Scene

_REACHED, _HELD, _LIFTED, _CARRIED = 0.2, 0.15, 0.15, 0.4
"""What the stages are worth, of 1; the rest is for the goal itself."""
_HIGH = 0.08
"""Metres above where it began at which a thing is lifted."""
_OVER = 0.08
"""Metres beside the goal within which a thing need not be lifted any more."""
_SCALE = 5.0
"""One over metres at which nearness has fallen to a quarter."""


@term
class staged(Reward):
    """0 where the goal is reached; elsewhere -1, and more for each stage of bringing a thing to the place of the goal.

    Up to 0.2 with the tool's nearness to the thing, 0.15 while it is held, up to 0.15 as it is lifted and where it is
    over the goal, and up to 0.4 with its nearness to the goal, for which height counts little until it is over it. No
    stage is worth as much as to go on: it is at most -0.1 wherever the goal is not reached.
    """

    prop: PropName

    @property
    def bounds(self) -> tuple[float, float]:
        return -1.0, 0.0

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        if len(goal.parts) > 1 or goal.field.unit != "m" or goal.follows != f"{self.prop}_position":
            raise ConfigurationError(f"{self!r}: the goal must be a place for {self.prop!r}, got {goal!r}")
        tool, thing, name = place(scene, TOOL), place(scene, self.prop), self.prop
        low = scene.body(name).position[2]

        def value(now: Instant) -> float:
            if now.reached:
                return 0.0
            x, y, z = thing(now)
            gx, gy, gz = now.desired[:3].tolist()
            beside = math.hypot(x - gx, y - gy)
            lifted = 1.0 if beside < _OVER else min(max((z - low) / _HIGH, 0.0), 1.0)
            left = math.hypot(min(beside, _OVER), z - gz) + max(beside - _OVER, 0.0)
            stages = _REACHED * nearness(math.dist(tool(now), (x, y, z)), _SCALE) + _HELD * now.grasped(name)
            return -1.0 + stages + _LIFTED * lifted + _CARRIED * nearness(left, _SCALE)

        return value
