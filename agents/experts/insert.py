"""The expert of Insert."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.grasping import Grasp, holds
from simworld.agents.experts.skills.placing import steadied
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.geometry import Array, rotated
from simworld.physics.control.command import Command

_ABOVE = 0.028
"""Metres above the block, were the peg in it, where that is grasped: the fingertips stay clear of it."""
_OVER, _NEAR = 0.015, 0.02
"""Metres that the peg's lower end is above the block on the way there, and to the side from where it is lined up."""
_LINED_UP = 0.35
"""Of the hole's clearance: how far the peg's lower end may be aside when it goes down."""
_SOFTLY, _CALMLY = 0.01, 0.035
"""Metres that the tool is sent ahead at most, while the peg is lined up and goes in, and on the way: it swings."""


class Expert:
    """Grasps the peg near its upper end, lines its lower end up with the hole, and lets it down softly."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp = Grasp(model)
        self._prop, self._socket = named(task, "prop"), named(task, "socket")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        half, depth = float(see[f"{self._prop}_half_extents"][2]), float(see[f"{self._socket}_hole"][1])
        if not holds(see, self._prop):
            return self._grasp(see, self._prop, up=max(depth + _ABOVE - half, 0.0))
        place, hole = see[f"{self._prop}_position"], see[f"{self._socket}_position"]
        end = place + self._down(see, half)
        aside, above = hole[:2] - end[:2], float(end[2] - hole[2])
        off = float(np.hypot(*aside))
        if off > _NEAR:
            ready = above > _OVER - 0.005
            return self._carry(see, place, [*(aside if ready else (0.0, 0.0)), _OVER - above], _CALMLY)
        width = see[f"{self._socket}_hole"][0] - 2 * see[f"{self._prop}_half_extents"][0]
        down = above < 0 or off < _LINED_UP * width
        return self._carry(see, place, [*aside, -_SOFTLY if down else 0.004 - above], _SOFTLY)

    def _carry(self, see: Sight, place: Array, way: Sequence[float], most: float) -> Command:
        """Bring the peg some way, which is shortened."""
        return steadied(self._grasp.carry(see, self._prop, (place + np.clip(way, -most, most)).tolist()), see)

    def _down(self, see: Sight, half: float) -> Array:
        """From the middle of the peg to its lower end."""
        return np.array(rotated(see[f"{self._prop}_orientation"].tolist(), (0.0, 0.0, -half)))
