"""What a command is in joints."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.command import MAX_SPEED, MAX_SPIN, Command
from simworld.physics.control.damped_step import damped_step
from simworld.physics.kinematics import Kinematics
from simworld.physics.timing import Timing

HALF = 0.5
"""Of the way to go, as much as a step is of it where steps add up, so that what is done late leads nowhere else."""


class JointSteps:
    """What a command is in joints: the first step of the arm towards it, as far as it can be ahead."""

    def __init__(self, model: RobotModel, timing: Timing, part: float = 1.0) -> None:
        n = self._joints = model.arm_joints
        self._kinematics, self._rest = Kinematics(model), np.array(model.rest[:n])
        self._most = np.repeat([MAX_SPEED / timing.ahead_hz, MAX_SPIN / timing.ahead_hz], 3) / part
        self._part = part
        self.ahead = np.array(model.max_velocity[:n]) / timing.ahead_hz

    def __call__(self, command: Command, joint_positions: Array) -> Array:
        """The step (n,) in rad of joints that are at (joints,)."""
        q = np.asarray(joint_positions, dtype=float)[: self._joints]
        error = np.concatenate([command.displacement, command.rotation])
        error = np.minimum(np.maximum(error, -self._most), self._most)
        step = self._part * damped_step(error, self._kinematics.jacobian(q), self._rest - q)
        return step / max(1.0, float(np.abs(step / self.ahead).max()))
