"""Joint control by velocities: each joint moves as fast as it is told."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.action import as_action
from simworld.physics.control.arm_drive import ArmDrive
from simworld.physics.control.command import Command
from simworld.physics.control.control import Control
from simworld.physics.control.joint_numbers import joint_numbers
from simworld.physics.control.joint_steps import HALF, JointSteps
from simworld.physics.timing import Timing
from simworld.physics.world import World


class JointVelocity(Control):
    """Actions (a number for each joint of the arm, gripper): the joints keep to velocities.

    1 is a joint's largest velocity. The little that a joint lags behind it catches up with. With zeros the joints stop
    and stay. A lost action is zeros.
    """

    def __init__(self, model: RobotModel, timing: Timing) -> None:
        fastest = model.max_velocity
        self.numbers = joint_numbers(model, [-most for most in fastest], fastest, "rad/s", "velocity of the joint")
        self._steps = JointSteps(model, timing, HALF)

    def encode(self, command: Command, joint_positions: Array) -> Array:
        """The velocities that bring the tool nearer, slower where it is near."""
        return np.array(
            [*np.clip(self._steps(command, joint_positions) / self._steps.ahead, -1.0, 1.0), command.gripper]
        )

    def begin(self, world: World) -> "JointVelocityController":
        """Control the joints of a World from where they are."""
        return JointVelocityController(world)


class JointVelocityController:
    """Keeps the joints of a loaded World to velocities."""

    def __init__(self, world: World) -> None:
        self._arm = ArmDrive(world)
        self.size = self._arm.joints + 1
        self._references = self._arm.positions

    def apply(self, action: Array) -> None:
        """Set the joints' velocities for the next control step."""
        numbers = as_action(action, self.size)
        self._references = self._arm.turn(self._references, numbers[:-1] * self._arm.fastest, float(numbers[-1]))

    def hold(self) -> Array:
        """Zeros: the joints stop."""
        return np.zeros(self.size)


CONTROL = JointVelocity
