"""The expert of PlaceInBox."""

import numpy as np

from simworld.agents.experts.grasping import CLOSED, OPEN, Grasp, holds
from simworld.agents.experts.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.command import Command

_CARRY = 0.05
"""Metres of free height under a carried object above the box's walls."""


class Expert:
    """Grasps the object, carries it over the walls, lets go over the floor of the box and draws back."""

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        box, top = see["box_position"], see["box_position"][2] + see["box_inner"][2]
        if holds(see):
            return self._carry(see, box, top)
        if _is_inside(see, box) and see["object_position"][2] < top:
            tool = see["tool_position"]
            return see.move(tool, [*tool[:2], top + 0.12], OPEN)
        return self._grasp(see)

    def _carry(self, see: Sight, box: Array, top: float) -> Command:
        place, under = see["object_position"], see["object_half_extents"][2]
        over = float(np.hypot(*(place[:2] - box[:2])))
        release = top + 0.012
        if over < 0.025 and place[2] < release + 0.02:
            return see.move(place, [*box[:2], release], OPEN)
        if over < 0.03:
            return see.move(place, [*box[:2], release], CLOSED)
        safe = top + under + _CARRY
        ready = place[2] > safe - 0.03 or over > 0.2
        return self._grasp.carry(see, [*(box[:2] if ready else place[:2]), safe])


def _is_inside(see: Sight, box: Array) -> bool:
    """Whether the object is between the walls of a box."""
    (x, y), (c, s) = see["object_position"][:2] - box[:2], see["box_direction"]
    width, depth, _ = see["box_inner"]
    return bool(abs(c * x + s * y) < width / 2 - 0.01 and abs(-s * x + c * y) < depth / 2 - 0.01)
