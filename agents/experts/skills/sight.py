"""What an expert sees: the parts of an observation by name."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.policy import Seen
from simworld.geometry import Array, Quaternion, Vec3, quat_from_yaw, quat_product, rotated, rotation_towards
from simworld.physics.control.command import Command
from simworld.physics.control.tool import DOWN

_MOST_TURN = 2.1
"""Radians that a tool is turned about z at most: any axis of the fingers is nearer than that, either way round."""


class Sight:
    """Named parts of an observation, in the world frame, and the goals.

    `squeeze_axis` (3,) is that of the fingers in the tool's frame; `turns` says whether the tool can be turned.
    """

    def __init__(self, seen: Seen, fields: Mapping[str, slice], squeeze_axis: Vec3, turns: bool) -> None:
        self._values, self._fields = seen.observation.astype(float), fields
        self._squeeze_axis, self.turns = squeeze_axis, turns and "tool_orientation" in fields
        self.achieved, self.desired = seen.achieved.astype(float), seen.desired.astype(float)

    def __getitem__(self, name: str) -> Array:
        return self._values[self._fields[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    @property
    def joints(self) -> Array:
        """Positions (joints,) in rad and m; none where they are not observed."""
        return self["joint_positions"] if "joint_positions" in self._fields else np.zeros(0)

    @property
    def axis(self) -> Array:
        """The direction (2,) in which the fingers close, in the world."""
        return np.array(rotated(self["tool_orientation"].tolist(), self._squeeze_axis)[:2])

    def move(self, here: NDArray[Any], target: Any, gripper: float, axis: Array | None = None) -> Command:
        """The command that brings what is `here` to a target (3,) while the tool points down.

        Where the tool can be turned, its fingers come to close along an `axis` (2,), if it is given.
        """
        displacement = np.asarray(target, dtype=float)[:3] - here[:3]
        if "tool_orientation" not in self:
            return Command(displacement, np.zeros(3), gripper)
        return self.turn(displacement, self._upright(axis), gripper)

    def turn(self, displacement: Array, orientation: Quaternion, gripper: float) -> Command:
        """The command that moves the tool by a displacement (3,) and turns it to an orientation."""
        rotation = rotation_towards(orientation, self["tool_orientation"].tolist())
        return Command(displacement, np.array(rotation), gripper)

    def off(self, axis: Array) -> float:
        """Radians from the direction in which the fingers close to an axis (2,), whichever way round."""
        (a, b), (x, y) = self.axis, axis
        return abs(math.remainder(math.atan2(a * y - b * x, a * x + b * y), math.pi))

    def _upright(self, axis: Array | None) -> Quaternion:
        if axis is None or not self.turns:
            return DOWN
        yaw, now = self._yaw(axis), self._yaw(self.axis)
        nearest = min((yaw + turn * math.pi for turn in (-1, 0, 1)), key=lambda angle: self._far(angle, now))
        return quat_product(quat_from_yaw(nearest), DOWN)

    def _far(self, yaw: float, now: float) -> float:
        return abs(yaw - now) if abs(yaw) < _MOST_TURN else math.inf

    def _yaw(self, axis: Array) -> float:
        """How far the tool is turned about z, from where it points down, to close along an axis (2,)."""
        x, y, _ = rotated(DOWN, self._squeeze_axis)
        return math.remainder(math.atan2(axis[1], axis[0]) - math.atan2(y, x), 2 * math.pi)
