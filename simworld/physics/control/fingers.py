"""The gripper, as every controller moves it: by a rate."""

from simworld.assets.robot import RobotModel
from simworld.physics.control.action import ActionNumber
from simworld.physics.world import World


def gripper_rate(model: RobotModel) -> ActionNumber:
    """The last number of every action."""
    speed = model.gripper.speed
    meaning = "rate at which the gripper opens; at 0 it stays, and what is held is squeezed on"
    return ActionNumber("gripper", -speed, speed, "m/s", meaning)


class Fingers:
    """A reference of the opening, in metres, that is moved by a rate, -1 closing and 1 opening at full speed.

    It is kept within a step of the opening and inside what the fingers can do. With zero it stays: open fingers stay
    open, and what is held is squeezed on.
    """

    def __init__(self, world: World) -> None:
        self._world, self._gripper, timing = world, world.model.gripper, world.timing
        self._step, self._ahead = self._gripper.speed / timing.control_hz, self._gripper.speed / timing.ahead_hz
        self._reference = world.opening()

    def move(self, rate: float) -> list[float]:
        """Targets of the gripper's joints for the next control step."""
        opening = self._world.opening()
        wanted = min(max(self._reference + rate * self._step, opening - self._ahead), opening + self._ahead)
        self._reference = min(max(wanted, self._gripper.least), self._gripper.most)
        return self._gripper.targets(self._reference)
