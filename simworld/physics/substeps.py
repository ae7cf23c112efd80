"""How finely the next control step is divided: finer where the hand is about to hit, press or squeeze something light.

Bullet solves contacts by iteration. What weighs m and is pressed by a force F against something heavy sinks in by about
F / (m n^2), times what is left by the usual substeps, of which the control step has n times as many.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from simworld.geometry import Array, Vec3
from simworld.physics.bullet import bullet

FINEST = 16
_HAND = 0.13, 0.2
"""Metres from the tool centre point that bound the hand: to the sides and down, and up."""
_NEAR = 0.03
"""Metres within which something may be hit in the next control step."""
_STEP = 1 / 25
"""Seconds of a control step."""
_TOUCHING = 0.0015
"""Metres within which things touch."""
_LIGHTLY, _PER_NEWTON = 1.0, 0.03
"""Newtons, beyond twice its weight, with which something may rest on others, and kilogrammes for each that is more."""
_HIT, _PUSHED, _MARGIN = 0.004, 0.002, 0.002
"""Metres in a control step that do no harm, of what hits and of what pushes, and that a way may become longer."""
_PRESSED, _SQUEEZED = 1.8, 0.03
"""Kilogrammes from which the usual substeps do for what the arm presses and what the fingers squeeze."""

Motion = Callable[[], tuple[list[float], list[float]]]
"""Gives the tool's way in a control step (3,) in metres: at its velocity, and as its motors aim, who get half of it."""


class Substeps:
    """Divides the control steps of a loaded world with a `robot`; `masses` are those of the other bodies, in kg."""

    def __init__(self, client: int, robot: int, fingers: tuple[int, ...], masses: Mapping[int, float]) -> None:
        self._client, self._robot, self._fingers, self._masses = client, robot, fingers, masses

    def __call__(self, tool: Array, motion: Motion, substeps: int) -> int:
        """How many times the usual substeps the next control step has.

        `tool` is where the tool centre point is, and `substeps` how many the last control step had.
        """
        (side, up), (x, y, z) = _HAND, tool[:3].tolist()
        low, high = (x - side, y - side, z - side), (x + side, y + side, z + up)
        found = bullet.getOverlappingObjects(low, high, physicsClientId=self._client) or ()
        finer = 1
        for uid in {uid for uid, _ in found}:
            if uid in self._masses:
                finer = max(finer, self._for_contact(uid, motion, substeps))
        return min(finer, FINEST)

    def _for_contact(self, uid: int, motion: Motion, substeps: int) -> int:
        """How many times it is for one body within the hand's reach."""
        points = bullet.getClosestPoints(self._robot, uid, _NEAR, physicsClientId=self._client)
        if not points:
            return 1
        mass = self._masses[uid]
        touching = [point for point in points if point[8] < _TOUCHING]
        sides = [point[7] for finger in self._fingers for point in touching if point[3] == finger]
        finer = _times(_SQUEEZED, mass) if sides else 1
        if touching:
            finer = max(finer, _times(_PER_NEWTON * self._force(uid, mass, substeps), mass))
        if sides and _dot(sides[0], sides[-1]) < -0.5:
            return finer
        way, aim = motion()
        own = [v * _STEP for v in bullet.getBaseVelocity(uid, physicsClientId=self._client)[0]]
        relative = [a - b for a, b in zip(way, own, strict=True)]
        for point in points:
            normal, least = point[7], point[8] - _MARGIN
            # What is pushed to the side gives way, or is felt as a force; what is under the hand cannot.
            under = normal[2] > 0.5 or least > 0
            if -_dot(relative, normal) > max(least, _HIT) or (under and -_dot(aim, normal) / 2 > max(least, _PUSHED)):
                return max(finer, 2, _times(_PRESSED, mass))
        return finer

    def _force(self, uid: int, mass: float, substeps: int) -> float:
        """Newtons with which a body is pressed on what is not the robot, beyond twice its weight and a little."""
        points = bullet.getContactPoints(uid, physicsClientId=self._client)
        # Bullet divides the last substep's impulse by the whole control step.
        force: float = substeps * sum(point[9] for point in points if point[2] != self._robot)
        return max(force - 2 * 9.81 * mass - _LIGHTLY, 0.0)


def _dot(a: Sequence[float], b: Vec3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _times(enough: float, mass: float) -> int:
    return max(1, math.ceil(math.sqrt(enough / mass)))
