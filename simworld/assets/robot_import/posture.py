"""Where a robot stands at the table and how it rests: fingers down over the middle of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simworld.assets.robot_import.frames import ArmFrames
from simworld.geometry import Array, Vec3

LOW, HIGH = (-0.3, -0.35, 0.008), (0.25, 0.35, 0.45)
"""Corners of where the tool is to get, in metres in the world."""
_TASKS_LOW, _TASKS_HIGH = (-0.15, -0.25, 0.02), (0.12, 0.25, 0.3)
"""Corners of where most of what is to be done is, in metres in the world."""
_BASES = (-0.6, -0.55, -0.5, -0.45, -0.4, -0.35, -0.3)
"""Where a base may stand along x, in metres."""
_HOME = (-0.05, 0.0, 0.25)
"""Where the tool rests, in metres in the world."""
_LEVELS = 3
_STARTS = 12
"""Postures from which others are looked for."""
_TOLD = 4
"""Decimals of a rest posture."""


class Posture(NamedTuple):
    """The base's place, the arm's joints (n,), and which share of the tasks' places is reached with fingers down."""

    base: Vec3
    rest: tuple[float, ...]
    reached: float


def posture(arm: ArmFrames, base: Vec3 | None, rest: Sequence[float] | None) -> Posture | None:
    """The base from which most is reached, the furthest of such, and a posture far from limits; None for none."""
    bases = [base] if base else [(x, 0.0, 0.0) for x in _BASES]
    found = [made for place in bases if (made := _at(arm, place, rest)) is not None]
    return max(found, key=lambda made: (made.reached, -made.base[0]), default=None)


def _at(arm: ArmFrames, base: Vec3, rest: Sequence[float] | None) -> Posture | None:
    home = np.array(rest) if rest else _rest(arm, _down(_HOME, base))
    if home is None:
        return None
    grid = [np.linspace(low, high, _LEVELS) for low, high in zip(_TASKS_LOW, _TASKS_HIGH, strict=True)]
    places = [(x, y, z) for x in grid[0].tolist() for y in grid[1].tolist() for z in grid[2].tolist()]
    reached = [arm.reach(_down(place, base), home) is not None for place in places]
    return Posture(base, tuple(np.round(home, _TOLD).tolist()), float(np.mean(reached)))


def _down(place: Vec3, base: Vec3) -> Array:
    """The tool's pose (4, 4) in the base's frame, with fingers down that open along y."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = np.subtract(place, base)
    return pose


def _rest(arm: ArmFrames, target: Array) -> Array | None:
    """Of some postures with the tool there, that whose elbow is up and whose joints are furthest from their limits."""
    middle = (arm.lower + arm.upper) / 2
    starts = [np.clip(np.zeros(len(middle)), arm.lower, arm.upper), middle]
    generator = np.random.default_rng(0)
    starts += [generator.uniform(arm.lower, arm.upper) for _ in range(_STARTS)]
    found = [q for start in starts if (q := arm.reach(target, start)) is not None]
    return max(found, key=lambda q: _ease(arm, q), default=None)


def _ease(arm: ArmFrames, q: Array) -> float:
    """How well a posture lies: far from limits and from singular ones, with little turned."""
    room = np.minimum(q - arm.lower, arm.upper - q).min()
    _, jacobian = arm.tool_and_jacobian(q)
    smallest = np.linalg.svd(jacobian, compute_uv=False)[-1]
    return float(min(room, 0.5) + 2 * smallest - 0.2 * np.abs(q).sum())
