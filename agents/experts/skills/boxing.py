"""How the experts put what they hold into a container."""

import numpy as np

from simworld.agents.experts.skills.grasping import CLOSED, OPEN, Grasp
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command

_CARRY = 0.05
"""Metres of free height under a carried thing above the container's walls."""


class PutIn:
    """Carries what is held over the walls of a container, and lets go over the middle of its floor."""

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(self, see: Sight, name: str, container: str) -> Command:
        """What the tool is to do next while it holds a thing."""
        place, under, box = see[f"{name}_position"], see[f"{name}_half_extents"][2], see[f"{container}_position"]
        top = top_of(see, container)
        over = float(np.hypot(*(place[:2] - box[:2])))
        release = top + 0.012
        if over < 0.025 and place[2] < release + 0.02:
            return see.move(place, [*box[:2], release], OPEN)
        if over < 0.03:
            return see.move(place, [*box[:2], release], CLOSED)
        safe = top + under + _CARRY
        ready = place[2] > safe - 0.03 or over > 0.2
        return self._grasp.carry(see, name, [*(box[:2] if ready else place[:2]), safe])


def top_of(see: Sight, container: str) -> float:
    """Height in metres of the upper end of a container's walls."""
    return float(see[f"{container}_position"][2] + see[f"{container}_inner"][2])


def is_in(see: Sight, name: str, container: str) -> bool:
    """Whether a thing is between the walls of a container, and below their upper end."""
    (x, y), (c, s) = (see[f"{name}_position"] - see[f"{container}_position"])[:2], see[f"{container}_direction"]
    width, depth, _ = see[f"{container}_inner"]
    between = abs(c * x + s * y) < width / 2 - 0.01 and abs(-s * x + c * y) < depth / 2 - 0.01
    return bool(between and see[f"{name}_position"][2] < top_of(see, container))
