"""The expert of Slide."""

import math

import numpy as np

from simworld.agents.experts.skills.placing import steadied
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.geometry import Array
from simworld.physics.control.command import Command

_GRAVITY = 9.81
_LOW, _HIGH = 0.014, 0.09
"""Metres above the table at which the tool pushes, and goes over the puck."""
_BEHIND, _ASIDE = 0.04, 0.006
"""Metres behind the puck's edge where the tool comes down, and to the side of it that it may be."""
_TOUCHING = 0.016
"""Metres from the puck's edge to the tool that pushes it."""
_FASTER, _CHASING, _AIM = 0.08, 0.04, 0.94
"""Metres per second that the puck is pushed, and followed, faster than it is, which is tilted less the shorter that is;
and of the speed that it needs, how much is aimed at: within a control step the hand is faster than on average."""
_TILTED = 0.03
"""Sine of half the angle from which on the puck is not pushed: it would be flung away."""
_MEND, _CENTRE = 0.5, 2.5
"""Of the velocity to the side, how much is made up for at once, and per second of how far the tool is aside."""
_STEP = 0.04
"""Seconds of a control step, in which the tool's reference goes on as far as the tool is to."""
_WIDE = 0.7
"""Of the puck's width that the fingers are open: it is pushed by both of them, and so does not roll off to a side."""


class Expert:
    """Comes down behind the puck and pushes it towards the goal, as fast as it must be to slide there by itself."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._prop = named(task, "prop")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        tool, puck, radius = see["tool_position"], see[f"{self._prop}_position"], see[f"{self._prop}_half_extents"][0]
        ahead, aside = (puck - tool)[:2].tolist()
        fingers = float(np.clip(20 * (2 * _WIDE * radius - see["finger_opening"][0]), -1.0, 1.0))
        low = tool[2] < _LOW + 0.02
        if low and ahead > 0.0 and abs(aside) < 3 * _ASIDE:
            return self._at(see, self._pushing(see, ahead < radius + _TOUCHING) + [0.0, _CENTRE * aside], fingers)
        start = [puck[0] - radius - _BEHIND, puck[1], _LOW]
        off = math.dist(tool[:2], start[:2])
        if off < _ASIDE or (low and off < 2 * _ASIDE):
            return steadied(see.move(tool, start, fingers), see)
        sideways = tool[2] > _HIGH - 0.02
        return see.move(tool, [*(start[:2] if sideways else tool[:2]), _HIGH], fingers)

    def _pushing(self, see: Sight, touching: bool) -> Array:
        """The velocity (2,) in m/s of the hand, with which the puck comes by and by to that which leads to the goal.

        What is too slow can be pushed again, what is too fast cannot be held back.
        """
        way = see.desired[:2] - see[f"{self._prop}_position"][:2]
        far = max(float(np.hypot(*way)), 1e-3)
        line, now = way / far, see[f"{self._prop}_velocity"][:2]
        along = float(now @ line)
        speed = along + (_FASTER if touching else _CHASING)
        if touching:
            speed = min(speed, _AIM * math.sqrt(2 * float(see[f"{self._prop}_friction"][0]) * _GRAVITY * far))
        if math.hypot(*see[f"{self._prop}_orientation"][:2]) > _TILTED:
            speed = along - _FASTER
        wanted: Array = speed * line - _MEND * (now - along * line) if touching else np.array([speed, now[1]])
        return wanted

    def _at(self, see: Sight, velocity: Array, fingers: float) -> Command:
        """The command that brings the tool to a velocity (2,) above the table, and keeps it low."""
        tool = see["tool_position"]
        return see.move(tool, tool + [*(_STEP * velocity), _LOW - tool[2]], fingers)
