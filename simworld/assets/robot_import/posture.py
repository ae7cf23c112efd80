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
_MORE_BASES = (-0.9, -0.8, -0.7, -0.25, -0.2)
"""Where a base may stand along x, in metres; and where else, if little is reached from those."""
_ENOUGH = 0.5
"""Share of the tasks' places that is much."""
_HOME = (-0.05, 0.0, 0.25)
"""Where the tool rests, in metres in the world."""
_LEVELS = 3
_STARTS, _MORE_STARTS = 12, 24
"""Postures from which others are looked for; and more, where those lead nowhere."""
_EASINGS, _BACK = 20, 0.85
"""How often joints are turned back, and to which share of where they are."""
_TOLD = 4
"""Decimals of a rest posture."""
_DOWN = (np.diag([1.0, -1.0, -1.0]), np.diag([-1.0, 1.0, -1.0]))
"""How the tool is turned with fingers down that open along y, as tasks have it; and with the other finger first."""


class Posture(NamedTuple):
    """The base's place, the arm's joints (n,), and which share of the tasks' places is reached with fingers down.

    Where it is `turned`, the tool's y axis points the other way than tasks have it: the other finger is to be first.
    """

    base: Vec3
    rest: tuple[float, ...]
    reached: float
    turned: bool


def posture(arm: ArmFrames, base: Vec3 | None, rest: Sequence[float] | None) -> Posture | None:
    """The base from which most is reached, the furthest of such, and a posture far from limits; None for none."""
    if base:
        return _at(arm, base, rest)
    found: list[Posture] = []
    for way in (_BASES, _MORE_BASES):
        if all(made.reached < _ENOUGH for made in found):
            found += [made for x in way if (made := _at(arm, (x, 0.0, 0.0), rest)) is not None]
    return max(found, key=lambda made: (made.reached, -made.base[0]), default=None)


def _at(arm: ArmFrames, base: Vec3, rest: Sequence[float] | None) -> Posture | None:
    if rest:
        home = np.array(rest)
        turned = arm.tool_and_jacobian(home)[0][:3, :3]
        turn = max(_DOWN, key=lambda down: float(np.trace(down.T @ turned)))
        return Posture(base, tuple(rest), _reached(arm, base, turn, home), turn is _DOWN[1])
    if np.linalg.norm(np.subtract(_HOME, base)) > arm.span:
        return None
    for starts in (_STARTS, _MORE_STARTS):
        homes = [(turn, q) for turn in _DOWN if (q := _rest(arm, _pose(turn, _HOME, base), starts)) is not None]
        if homes:
            made = [Posture(base, _told(arm, q), _reached(arm, base, t, q), t is _DOWN[1]) for t, q in homes]
            return max(made, key=lambda posture: posture.reached)
    return None


def _reached(arm: ArmFrames, base: Vec3, turn: Array, home: Array) -> float:
    """The share of the tasks' places to which the tool gets from a posture."""
    grid = [np.linspace(low, high, _LEVELS) for low, high in zip(_TASKS_LOW, _TASKS_HIGH, strict=True)]
    places = [(x, y, z) for x in grid[0].tolist() for y in grid[1].tolist() for z in grid[2].tolist()]
    return float(np.mean([arm.reach(_pose(turn, place, base), home) is not None for place in places]))


def _told(arm: ArmFrames, q: Array) -> tuple[float, ...]:
    """A posture in few decimals, within the limits, which may have more."""
    return tuple(np.clip(np.round(q, _TOLD), arm.lower, arm.upper).tolist())


def _pose(turn: Array, place: Vec3, base: Vec3) -> Array:
    """A tool's pose (4, 4) in the base's frame, at a place in the world."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, np.subtract(place, base)
    return pose


def _rest(arm: ArmFrames, target: Array, starts: int) -> Array | None:
    """Of some postures with the tool there, that whose elbow is up and whose joints are furthest from their limits."""
    middle = (arm.lower + arm.upper) / 2
    generator = np.random.default_rng(0)
    tried = [np.clip(np.zeros(len(middle)), arm.lower, arm.upper), middle]
    tried += [generator.uniform(arm.lower, arm.upper) for _ in range(starts)]
    found = [q for start in tried if (q := arm.reach(target, start)) is not None]
    return max((_eased(arm, target, q) for q in found), key=lambda q: _ease(arm, q), default=None)


def _eased(arm: ArmFrames, target: Array, q: Array) -> Array:
    """A posture that has the tool there too and lies better: an arm of more joints than it needs can turn them back."""
    for _ in range(_EASINGS):
        other = arm.reach(target, np.clip(_BACK * q, arm.lower, arm.upper))
        if other is None or _ease(arm, other) <= _ease(arm, q):
            return q
        q = other
    return q


def _ease(arm: ArmFrames, q: Array) -> float:
    """How well a posture lies: far from limits and from singular ones, with little turned."""
    room = np.minimum(q - arm.lower, arm.upper - q).min()
    _, jacobian = arm.tool_and_jacobian(q)
    smallest = np.linalg.svd(jacobian, compute_uv=False)[-1]
    return float(min(room, 0.5) + 2 * smallest - 0.2 * np.abs(q).sum())
