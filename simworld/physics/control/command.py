"""What a tool is to do, whatever the arm is controlled by."""

from typing import NamedTuple

from simworld.geometry import Array

MAX_SPEED, MAX_SPIN = 1.0, 2.5
"""Metres and radians per second at which a tool is moved and turned at most, along and about each axis."""


class Command(NamedTuple):
    """Where a tool is to go from where it is, which may take many control steps, and what its gripper does.

    `displacement` (3,) in metres and `rotation` (3,), a rotation vector in radians, are in the world frame. `gripper`
    is a rate: 1 opens it and -1 closes it at the fingers' full speed, and 0 leaves it as it is.
    """

    displacement: Array
    rotation: Array
    gripper: float
