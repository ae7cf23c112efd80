"""Joint control by differences: each joint is moved by so much."""

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


class JointDelta(Control):
    """Actions (a number for each joint of the arm, gripper): references move, and the joints follow them.

    1 moves a reference by what its joint moves in a control step at its largest velocity. References are kept within
    what joints can be ahead, where all are brought nearer alike, and inside their limits; with zeros the joints come to
    rest there. A lost action is zeros.
    """

    def __init__(self, model: RobotModel, timing: Timing) -> None:
        most = [fastest / timing.control_hz for fastest in model.max_velocity]
        meaning = "move of the joint's reference"
        self.numbers = joint_numbers(model, [-step for step in most], most, "rad", meaning)
        self._steps = JointSteps(model, timing, HALF)

    def encode(self, command: Command, joint_positions: Array) -> Array:
        """The step of the joints that brings the tool nearer, as far as the references may be ahead."""
        return np.array(
            [*np.clip(self._steps(command, joint_positions) / self._steps.ahead, -1.0, 1.0), command.gripper]
        )

    def begin(self, world: World) -> "JointDeltaController":
        """Control the joints of a World from where they are."""
        return JointDeltaController(world)


class JointDeltaController:
    """Moves the joints of a loaded World by references."""

    def __init__(self, world: World) -> None:
        self._arm = arm = ArmDrive(world)
        self.size = arm.joints + 1
        self._step = arm.fastest / world.timing.control_hz
        self._references = arm.positions

    def apply(self, action: Array) -> None:
        """Aim the joints for the next control step."""
        numbers = as_action(action, self.size)
        ahead = self._references + numbers[:-1] * self._step - self._arm.positions
        self._references = self._arm.aim(ahead, float(numbers[-1]))

    def hold(self) -> Array:
        """Zeros: the references stay where they are."""
        return np.zeros(self.size)


CONTROL = JointDelta
