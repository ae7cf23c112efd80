"""End-effector control: the tool moves along x, y and z, with the fingers pointing down."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.action import as_action
from simworld.physics.control.command import MAX_SPEED, Command
from simworld.physics.control.control import Control
from simworld.physics.control.fingers import gripper_rate
from simworld.physics.control.tool import DOWN, ToolReference, displacements
from simworld.physics.timing import Timing
from simworld.physics.world import World


class EndEffector(Control):
    """Actions (dx, dy, dz, gripper): a reference moves in the world, and the tool follows it, pointing down.

    The reference is kept within what the tool can be ahead and inside the workspace; with zeros the tool comes to rest
    there. A lost action is zeros.
    """

    turns = False

    def __init__(self, model: RobotModel, timing: Timing) -> None:
        self.numbers = (*displacements(timing), gripper_rate(model))
        self._ahead = MAX_SPEED / timing.ahead_hz

    def encode(self, command: Command, joint_positions: Array) -> Array:
        """As much of the displacement as a reference may be ahead; there is no rotation."""
        return np.array([*np.clip(command.displacement / self._ahead, -1.0, 1.0), command.gripper])

    def begin(self, world: World) -> "EndEffectorController":
        """Control the tool of a World from where it is."""
        return EndEffectorController(world)


class EndEffectorController:
    """Moves the tool of a loaded World by a reference."""

    size = 4

    def __init__(self, world: World) -> None:
        self._reference = ToolReference(world)

    def apply(self, action: Array) -> None:
        """Aim the joints for the next control step."""
        *rates, rate = as_action(action, self.size).tolist()
        self._reference.move(rates, DOWN, rate)

    def hold(self) -> Array:
        """Zeros: the reference stays where it is."""
        return np.zeros(self.size)


CONTROL = EndEffector
