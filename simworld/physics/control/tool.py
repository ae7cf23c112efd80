"""A reference of the tool's pose, which the arm follows."""

from collections.abc import Sequence

import numpy as np

from simworld.geometry import Quaternion, rotation_towards
from simworld.physics.control.action import ActionNumber
from simworld.physics.control.arm_drive import ArmDrive
from simworld.physics.control.command import MAX_SPEED
from simworld.physics.control.damped_step import damped_step
from simworld.physics.timing import Timing
from simworld.physics.world import World

DOWN: Quaternion = (1.0, 0.0, 0.0, 0.0)
"""Tool orientation with the fingers pointing down and opening along the world's y axis."""


def displacements(timing: Timing) -> tuple[ActionNumber, ...]:
    """The numbers of an action that move the reference."""
    step = MAX_SPEED / timing.control_hz
    return tuple(
        ActionNumber(f"d{axis}", -step, step, "m", f"displacement of the tool's reference along {axis} in the world")
        for axis in "xyz"
    )


class ToolReference:
    """The position of a reference that the tool of a World follows, held in an orientation.

    It is kept inside the robot's workspace, and within what it moves in 1 / `Timing.ahead_hz` seconds at MAX_SPEED of
    the tool; where it stays the tool comes to rest.
    """

    def __init__(self, world: World) -> None:
        self.world, self._arm = world, ArmDrive(world)
        self._low, self._high = world.model.workspace
        self._step, self._ahead = MAX_SPEED / world.timing.control_hz, MAX_SPEED / world.timing.ahead_hz
        self._rest = np.array(world.model.rest[: self._arm.joints])
        self._position = world.tool_pose()[:3].tolist()

    def move(self, rates: Sequence[float], orientation: Sequence[float], rate: float) -> None:
        """Aim the tool at the reference, moved by `rates` along x, y, z, and the gripper by `rate`, in -1..1."""
        tool, jacobian = self.world.tool_kinematics()
        here, ahead = tool.tolist(), self._ahead
        limits = zip(self._position, rates, here, self._low, self._high, strict=False)
        self._position = [
            _clip(_clip(r + a * self._step, t - ahead, t + ahead), low, high) for r, a, t, low, high in limits
        ]
        error = [r - t for r, t in zip(self._position, here, strict=False)]
        turn = rotation_towards(orientation, here[3:])
        self._arm.aim(damped_step([*error, *turn], jacobian, self._rest - self._arm.positions), rate)


def _clip(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value
