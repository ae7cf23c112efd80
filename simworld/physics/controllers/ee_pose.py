"""End-effector control with six degrees of freedom: the tool moves and turns."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array, quat_from_vector, quat_product, rotation_towards
from simworld.physics.control.action import ActionNumber, as_action
from simworld.physics.control.command import MAX_SPEED, MAX_SPIN, Command
from simworld.physics.control.control import Control
from simworld.physics.control.fingers import gripper_rate
from simworld.physics.control.tool import ToolReference, displacements
from simworld.physics.timing import Timing
from simworld.physics.world import World


class EndEffectorPose(Control):
    """Actions (dx, dy, dz, rx, ry, rz, gripper): a reference moves and turns in the world, and the tool follows it.

    The turn is a rotation vector, axis times angle, in the world. The reference is kept within what the tool can be
    ahead, and its position inside the workspace; with zeros the tool comes to rest there. A lost action is zeros.
    """

    def __init__(self, model: RobotModel, timing: Timing) -> None:
        spin = MAX_SPIN / timing.control_hz
        turns = (
            ActionNumber(f"r{axis}", -spin, spin, "rad", f"turn of the tool's reference about {axis} of the world")
            for axis in "xyz"
        )
        self.numbers = (*displacements(timing), *turns, gripper_rate(model))
        self._most = np.repeat([MAX_SPEED / timing.ahead_hz, MAX_SPIN / timing.ahead_hz], 3)

    def encode(self, command: Command, joint_positions: Array) -> Array:
        """As much of the displacement and of the rotation as a reference may be ahead."""
        both = np.concatenate([command.displacement, command.rotation])
        return np.array([*np.clip(both / self._most, -1.0, 1.0), command.gripper])

    def begin(self, world: World) -> "EndEffectorPoseController":
        """Control the tool of a World from where it is."""
        return EndEffectorPoseController(world)


class EndEffectorPoseController:
    """Moves and turns the tool of a loaded World by a reference."""

    size = 7

    def __init__(self, world: World) -> None:
        self._world, self._reference = world, ToolReference(world)
        self._step, self._ahead = MAX_SPIN / world.timing.control_hz, MAX_SPIN / world.timing.ahead_hz
        self._orientation = world.tool_pose()[3:].tolist()

    def apply(self, action: Array) -> None:
        """Aim the joints for the next control step."""
        numbers = as_action(action, self.size)
        self._turn((numbers[3:6] * self._step).tolist())
        self._reference.move(numbers[:3].tolist(), self._orientation, float(numbers[6]))

    def _turn(self, rotation: list[float]) -> None:
        """Turn the reference by a rotation vector (3,), which leaves it within what the tool can be ahead."""
        wanted = quat_product(quat_from_vector(rotation), self._orientation)
        here = self._world.tool_pose()[3:].tolist()
        ahead = np.array(rotation_towards(wanted, here))
        far = float(np.abs(ahead).max())
        if far > self._ahead:
            wanted = quat_product(quat_from_vector((ahead * (self._ahead / far)).tolist()), here)
        self._orientation = list(wanted)

    def hold(self) -> Array:
        """Zeros: the reference stays where it is."""
        return np.zeros(self.size)


CONTROL = EndEffectorPose
