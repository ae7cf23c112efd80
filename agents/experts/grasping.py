"""How the experts grasp an object, whatever the robot."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command

OPEN, CLOSED = 1.0, -1.0

_APPROACH = 0.06
"""Metres above the object from which the tool comes straight down."""
_ALIGNED, _DOWN = 0.012, 0.008
"""Metres of error, to the sides and in height, within which the tool may come down and grasp."""
_TIP = 0.012
"""Least height of the tool centre point at a grasp: fingertips reach further down."""
_GENTLY = 0.625
"""Metres that a tool is sent ahead which has just grasped something, over the cube of the fingers' speed in m/s: slow
ones take longer until they squeeze as firmly as they can, and what they hold until it is between them as it stays."""
_FASTER = 0.1
"""Metres that a tool which carries something is sent ahead more, for each metre per second that it is fast."""
_BEGUN = 0.95
"""Of the largest opening: below, the fingers have begun to close."""


class Grasp:
    """Comes down over the object from above with open fingers, and closes them."""

    def __init__(self, model: RobotModel) -> None:
        self._begun = _BEGUN * model.gripper.most
        self._gently = _GENTLY * model.gripper.speed**3

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next while it does not hold the object."""
        tool, place = see["tool_position"], see["object_position"]
        grip = [*place[:2], max(place[2], _TIP)]
        off = float(np.hypot(*(tool[:2] - place[:2])))
        above = tool[2] - grip[2]
        # Fingers that have begun to close go on, although what is seen is noisy and what is done is late.
        slack = 2.0 if see["finger_opening"][0] < self._begun else 1.0
        if off < slack * _ALIGNED and above < slack * _DOWN:
            return see.move(tool, grip, CLOSED)
        # Fingers that lost it open before they come down again, or they would stand on it.
        if off < _ALIGNED and (slack == 1.0 or above > _APPROACH):
            return see.move(tool, grip, OPEN)
        high = grip[2] + _APPROACH + see["object_half_extents"][2]
        if above < _APPROACH and off > 2 * _ALIGNED:
            # Rise before moving sideways, so that the fingers do not push the object.
            return see.move(tool, [*tool[:2], high], OPEN)
        return see.move(tool, [*grip[:2], max(high if off > 0.04 else tool[2], grip[2])], OPEN)

    def carry(self, see: Sight, target: Sequence[float]) -> Command:
        """What the tool is to do while it holds the object, to bring it to a target (3,).

        It gets faster by no more than what the fingers hold, which takes them longer to squeeze the slower they are.
        """
        command = see.move(see["object_position"], target, CLOSED)
        most = self._gently + _FASTER * float(np.linalg.norm(see["tool_velocity"]))
        return command._replace(displacement=np.minimum(np.maximum(command.displacement, -most), most))


def holds(see: Sight) -> bool:
    """Whether the object is held."""
    return bool(see["object_grasped"][0] > 0.5)
