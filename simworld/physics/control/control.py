"""What every way to control an arm has: a value that says what its actions are, and what acts on a World by them."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.control.action import ActionNumber
from simworld.physics.control.command import Command
from simworld.physics.timing import Timing
from simworld.physics.world import World


class Controller(Protocol):
    """Acts on the loaded World that it was made for."""

    size: int

    def apply(self, action: Array) -> None:
        """Aim the joints by an action (size,) of numbers in -1..1 for the next control step."""
        ...

    def hold(self) -> Array:
        """The action (size,) that leaves everything as it is aimed now: what an action that is lost means."""
        ...


class Control(ABC):
    """A way to control the arm of a robot: what its actions mean, without a World.

    `numbers` are those of an action, in order; the last is always the gripper's rate. `turns` says whether the tool
    can be turned from where it points down.
    """

    turns: ClassVar[bool] = True
    numbers: tuple[ActionNumber, ...]

    @abstractmethod
    def __init__(self, model: RobotModel, timing: Timing) -> None: ...

    @property
    def size(self) -> int:
        """How many numbers an action is."""
        return len(self.numbers)

    @property
    def per_step(self) -> Array:
        """What the numbers before the gripper's (size - 1,) differ by where they move the arm at most in a step."""
        return np.ones(self.size - 1)

    @abstractmethod
    def encode(self, command: Command, joint_positions: Array) -> Array:
        """The action (size,) that does most of a command in one control step, where the joints are at (joints,)."""

    @abstractmethod
    def begin(self, world: World) -> Controller:
        """Control the arm of a World from where it is, whose robot and timing are those of this control."""
