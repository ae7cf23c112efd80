"""The arm of a World, as every controller moves it: within its limits, and so that it gives way to what it meets."""

import numpy as np

from simworld.geometry import Array
from simworld.physics.control.damped_step import shorten_step
from simworld.physics.control.fingers import Fingers
from simworld.physics.world import World

PRESS, TWIST = 50.0, 5.0
"""Newtons and newton metres with which the tool moves and presses, at most, beyond what carries the arm."""

_CAUGHT_UP = 0.25
"""Of what joints can be ahead, that those which keep to a velocity catch up with: so they are 4% faster at most."""


class ArmDrive:
    """Aims the arm's joints and the gripper of a loaded World.

    No joint is aimed beyond its limits, nor further ahead than it moves in 1 / `Timing.ahead_hz` seconds at its largest
    velocity. Beyond what carries the arm its motors do no more than PRESS and TWIST at the tool.
    """

    def __init__(self, world: World) -> None:
        self.world, model, timing = world, world.model, world.timing
        n = self.joints = model.arm_joints
        self.lower, self.upper = np.array(model.lower[:n]), np.array(model.upper[:n])
        self.fastest = np.array(model.max_velocity[:n])
        self.ahead = self.fastest / timing.ahead_hz
        self._bounds = np.stack([self.lower, self.upper, 1 / self.ahead])
        self._fingers = Fingers(world)
        levers = np.linalg.norm(world.tool_kinematics()[1][:3], axis=0)
        self._yielding: Array = PRESS * levers + TWIST

    @property
    def positions(self) -> Array:
        """Positions (n,) of the arm's joints in rad."""
        return self.world.joints()[0, : self.joints]

    def aim(self, step: Array, rate: float) -> Array:
        """Aim the joints by a step (n,) in rad from where they are, which is shortened if one would be too far ahead.

        The gripper moves at `rate`, -1 closing and 1 opening. Gives where the joints are aimed (n,).
        """
        targets = np.empty(self.joints)
        shorten_step(step, self.positions, self._bounds, targets)
        self.world.set_yielding_targets([*targets.tolist(), *self._fingers.move(rate)], self._yielding)
        return targets

    def turn(self, start: Array, velocities: Array, rate: float) -> Array:
        """Have the joints keep to velocities (n,) in rad/s on a way that starts at `start` (n,) in rad.

        What joints lag behind they catch up with, as far as they may. One that nears its limit slows down, and comes to
        rest there. Gives where the way ends (n,).
        """
        step, here, most = self.world.timing.step, self.positions, self.ahead * _CAUGHT_UP
        start = np.minimum(np.maximum(start, here - most), here + most)
        end: Array = np.minimum(
            np.maximum(start + velocities * step, (start + self.lower) / 2), (start + self.upper) / 2
        )
        targets = [*end.tolist(), *self._fingers.move(rate)]
        self.world.set_yielding_targets(targets, self._yielding, ((end - start) / step).tolist())
        return end
