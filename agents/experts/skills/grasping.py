"""How the experts grasp a thing, whatever the robot."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.geometry import Array
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
_HANGS = 0.04
"""Metres above the middle of a thing where it is held from which on it hangs."""
_BEGUN = 0.95
"""Of the largest opening: below, the fingers have begun to close."""
_TURNED = 0.08
"""Radians of error of the fingers' axis within which the tool may come down."""


class Grasp:
    """Comes down over a thing from above with open fingers, and closes them.

    Where its grip is observed, it is taken there, by fingers that close along its axis if the tool can be turned.
    """

    def __init__(self, model: RobotModel) -> None:
        self._begun = _BEGUN * model.gripper.most
        self._gently = _GENTLY * model.gripper.speed**3

    def __call__(self, see: Sight, name: str, over: float = 0.0, up: float = 0.0) -> Command:
        """What the tool is to do next while it does not hold a thing.

        It moves sideways at a height above `over` of the tool centre point, and takes the thing `up` metres higher.
        """
        tool, place, axis = see["tool_position"], _place(see, name), _axis(see, name)
        grip = [*place[:2], max(place[2] + up, _TIP)]
        off = float(np.hypot(*(tool[:2] - place[:2])))
        above = tool[2] - grip[2]
        aligned = axis is None or see.off(axis) < _TURNED
        # Fingers that have begun to close go on, although what is seen is noisy and what is done is late.
        slack = 2.0 if see["finger_opening"][0] < self._begun else 1.0
        if off < slack * _ALIGNED and above < slack * _DOWN:
            return see.move(tool, grip, CLOSED, axis)
        # Fingers that lost it open before they come down again, or they would stand on it.
        if off < _ALIGNED and (slack == 1.0 or above > _APPROACH) and (aligned or above < _APPROACH):
            return see.move(tool, grip, OPEN, axis)
        above_grip = max(0.0, see[f"{name}_position"][2] + see[f"{name}_half_extents"][2] - place[2])
        high = max(grip[2] + _APPROACH + above_grip, over)
        if tool[2] < max(grip[2] + _APPROACH, over - _DOWN) and off > 2 * _ALIGNED:
            # Rise before moving sideways, so that the fingers do not push the object.
            return see.move(tool, [*tool[:2], high], OPEN, axis)
        away = off > 0.04 or not aligned
        return see.move(tool, [*grip[:2], max(high if away else tool[2], grip[2])], OPEN, axis)

    def carry(self, see: Sight, name: str, target: Sequence[float]) -> Command:
        """What the tool is to do while it holds a thing, to bring it to a target (3,).

        It gets faster by no more than what the fingers hold, which takes them longer to squeeze the slower they are.
        """
        command = see.move(hanging(see, name), target, CLOSED, _held_axis(see, name))
        most = self._gently + _FASTER * float(np.linalg.norm(see["tool_velocity"]))
        return command._replace(displacement=np.minimum(np.maximum(command.displacement, -most), most))


def holds(see: Sight, name: str) -> bool:
    """Whether a thing is held."""
    return bool(see[f"{name}_grasped"][0] > 0.5)


def hanging(see: Sight, name: str) -> Array:
    """Where a thing is (3,) that is held: one that hangs swings about the axis of the fingers, and is as below them."""
    place = see[f"{name}_position"]
    off = see["tool_position"] - place
    if off[2] < _HANGS:
        return place
    across = np.array([-see.axis[1], see.axis[0]])
    x, y = across * (across @ off[:2])
    below: Array = place + np.array([x, y, 0.0])
    return below


def _place(see: Sight, name: str) -> Array:
    """Where a thing is grasped."""
    return see[f"{name}_grip_position" if f"{name}_grip_position" in see else f"{name}_position"]


def _axis(see: Sight, name: str) -> Array | None:
    """The direction (2,) in which the fingers are to close about a thing; none where they cannot be turned to it."""
    return see[f"{name}_grip_axis"] if see.turns and f"{name}_grip_axis" in see else None


def _held_axis(see: Sight, name: str) -> Array | None:
    """The direction (2,) in which the fingers stay while they hold a thing that they were turned to."""
    return None if _axis(see, name) is None else see.axis
