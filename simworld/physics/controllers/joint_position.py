"""Joint control by positions: each joint goes to where it is told."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.action import as_action
from simworld.physics.control.arm_drive import ArmDrive
from simworld.physics.control.command import Command
from simworld.physics.control.control import Control
from simworld.physics.control.joint_numbers import joint_numbers
from simworld.physics.control.joint_steps import JointSteps
from simworld.physics.timing import Timing
from simworld.physics.world import World


class JointPosition(Control):
    """Actions (a number for each joint of the arm, gripper): the joints go to positions, all arriving together.

    -1 and 1 are a joint's limits. A lost action is the last that was not: the joints go on to where they were sent.
    """

    def __init__(self, model: RobotModel, timing: Timing) -> None:
        self.numbers = joint_numbers(model, model.lower, model.upper, "rad", "position that the joint goes to")
        self._steps = JointSteps(model, timing)
        self._fastest = np.array(model.max_velocity[: model.arm_joints]) / timing.control_hz
        self._lower, self._upper = np.array(model.lower[: model.arm_joints]), np.array(model.upper[: model.arm_joints])

    @property
    def per_step(self) -> Array:
        """What joints move in a control step at their largest velocities, as part of their ranges."""
        parts: Array = 2 * self._fastest / (self._upper - self._lower)
        return parts

    def encode(self, command: Command, joint_positions: Array) -> Array:
        """Where the step leads that brings the tool nearer, as far as the joints may be ahead."""
        here = np.asarray(joint_positions, dtype=float)[: len(self._lower)]
        goals = here + self._steps(command, here)
        return np.array([*_as_numbers(goals, self._lower, self._upper), command.gripper])

    def begin(self, world: World) -> "JointPositionController":
        """Control the joints of a World from where they are."""
        return JointPositionController(world)


class JointPositionController:
    """Sends the joints of a loaded World to positions."""

    def __init__(self, world: World) -> None:
        self._arm = ArmDrive(world)
        self.size = self._arm.joints + 1
        self._middle = (self._arm.upper + self._arm.lower) / 2
        self._half = (self._arm.upper - self._arm.lower) / 2
        self._goals = self._arm.positions

    def apply(self, action: Array) -> None:
        """Aim the joints for the next control step."""
        numbers = as_action(action, self.size)
        self._goals = self._middle + numbers[:-1] * self._half
        self._arm.aim(self._goals - self._arm.positions, float(numbers[-1]))

    def hold(self) -> Array:
        """Where the joints were last sent, and the fingers as they are."""
        return np.array([*_as_numbers(self._goals, self._arm.lower, self._arm.upper), 0.0])


def _as_numbers(positions: Array, lower: Array, upper: Array) -> Array:
    numbers: Array = (2 * positions - upper - lower) / (upper - lower)
    return np.minimum(np.maximum(numbers, -1.0), 1.0)


CONTROL = JointPosition
