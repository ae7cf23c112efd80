"""How finely the next control step is divided: finer where the hand is about to hit, press or squeeze something light.

Bullet solves contacts by iteration. What weighs m and is pressed by a force F against something heavy sinks in by about
F / (m n^2), times what is left by the usual substeps, of which the control step has n times as many; and 2.5 times as
many iterations leave a third of it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from simworld.geometry import Array, Vec3
from simworld.physics.body_reader import DISTANCE, NORMAL, OTHER, OTHER_LINK, WHERE, BodyReader
from simworld.physics.bullet import bullet
from simworld.physics.timing import FINEST_HZ, Timing

_HAND = 0.15, 0.08, 0.2
"""Metres from the tool centre point that bound the hand and its way: to the sides, down, and up."""
_ITERATIONS, _MORE, _MOST = 20, 50, 100
"""Iterations of the solver: the usual, where the hand touches something light, and where it hits something."""
_LIGHT = 0.1
"""Kilogrammes from which the usual iterations do for what is touched."""
_NEAR = 0.75
"""Metres per second: within what they make in a control step something may be hit in the next one."""
_TOUCHING, _SUNK = 0.0015, 0.0005
"""Metres within which things touch, and that they may sink in before more is done about it."""
_LIGHTLY, _FIRMLY, _PER_NEWTON = 1.0, 0.03, 0.02
"""Newtons, beyond twice its weight, with which something may rest on others; kilogrammes for each that is more, from
which the usual iterations do, and from which more of them do."""
_LARGE = 0.04
"""Metres from its middle to where something may be hit."""
_HIT, _PUSHED = 0.1, 0.05
"""Metres per second that do no harm, of what hits and of what pushes."""
_MARGIN = 0.002
"""Metres that a way may become longer."""
_PRESSED, _LOWERED, _SQUEEZED = 1.2, 0.6, 0.03
"""Kilogrammes from which the usual substeps do for what the arm hits or presses, sets down, and squeezes."""

Way = Sequence[float]
"""Of the tool in a control step (3,) in metres."""
Motion = Callable[[], tuple[Way, Way]]
"""Gives the tool's way at its velocity, and as its motors aim, who get half of it."""


class Division(NamedTuple):
    """How many substeps a control step has, and how many iterations each of them."""

    substeps: int
    iterations: int = _ITERATIONS


class Substeps:
    """Divides the control steps of a loaded world with a `robot`; `masses` are those of the other bodies, in kg."""

    def __init__(
        self,
        client: int,
        robot: int,
        fingers: tuple[int, ...],
        masses: Mapping[int, float],
        reader: BodyReader,
        timing: Timing,
    ) -> None:
        self._client, self._robot, self._fingers, self._masses, self._reader = client, robot, fingers, masses, reader
        self._step = timing.step
        self._hit, self._pushed, self._near = (speed / timing.control_hz for speed in (_HIT, _PUSHED, _NEAR))
        self._usual, self._most = timing.usual_substeps, FINEST_HZ // timing.control_hz
        self._fewest, self._coarse = Division(timing.substeps), timing.coarse

    def __call__(self, tool: Array, motion: Motion) -> Division:
        """How the next control step is divided, where the tool centre point is at `tool`."""
        if self._coarse:
            return self._fewest
        (side, down, up), (x, y, z) = _HAND, tool[:3].tolist()
        low, high = (x - side, y - side, z - down), (x + side, y + side, z + up)
        found = bullet.getOverlappingObjects(low, high, physicsClientId=self._client) or ()
        near = {uid for uid, _ in found if uid != self._robot}
        movable = near & self._masses.keys()
        if not movable:
            return self._fewest
        way, aim = motion()
        finer, iterations = 1, _ITERATIONS
        for uid in movable:
            times, wanted = self._for_contact(uid, near, way, aim)
            finer, iterations = max(finer, times), max(iterations, wanted)
        wanted = min(math.ceil(finer * self._usual), self._most)
        return Division(max(wanted, self._fewest.substeps), iterations)

    def _is_within(self, uid: int, distance: float) -> bool:
        """Whether the robot is as near to a body."""
        return bool(bullet.getClosestPoints(self._robot, uid, distance, physicsClientId=self._client))

    def _for_contact(self, uid: int, near: set[int], way: Way, aim: Way) -> tuple[int, int]:
        """How many times the usual substeps one of the bodies `near` the hand needs, and how many iterations."""
        mass, contacts = self._masses[uid], self._reader.points(uid)
        touching = [point for point in contacts if point[OTHER] == self._robot and point[DISTANCE] < _TOUCHING]
        sides = [point[NORMAL] for finger in self._fingers for point in touching if point[OTHER_LINK] == finger]
        held = sides and _dot(sides[0], sides[-1]) < -0.5
        if held and self._is_lowered(uid, near, way, aim):
            return max(2, _times(_LOWERED, mass)), _MORE
        if not held and self._is_hit(uid, way, aim):
            return max(2, _times(_PRESSED, mass)), _MOST
        if not touching:
            soon = mass < _LIGHT and self._is_within(uid, self._hit)
            return (_times(_SQUEEZED, mass), _MORE) if soon else (1, _ITERATIONS)
        finer = _times(_SQUEEZED, mass) if sides else 1
        force = sum(self._reader.force(point) for point in contacts if point[OTHER] != self._robot)
        beyond = max(force - 2 * 9.81 * mass - _LIGHTLY, 0.0)
        finer = max(finer, _times(_PER_NEWTON * beyond, mass))
        # What is held calmly needs no more than to stay as it is.
        calm = held and min(point[DISTANCE] for point in touching) > -_SUNK
        more = finer > 1 or (mass < _LIGHT and not calm) or _FIRMLY * beyond > mass
        return finer, _MORE if more else _ITERATIONS

    def _is_hit(self, uid: int, way: Way, aim: Way) -> bool:
        """Whether the hand is about to hit a body or to press on it."""
        linear, spin = self._reader.moving(uid)
        turning, own = [v * self._step for v in spin], [v * self._step for v in linear]
        relative = [a - b for a, b in zip(way, own, strict=True)]
        fastest = math.hypot(*relative) + _LARGE * math.hypot(*turning)
        reach = max(fastest if fastest > self._hit else 0.0, math.hypot(*aim) / 2)
        if reach <= self._pushed:
            return False
        center = self._reader.placed(uid)[0]
        near = min(reach + _MARGIN, self._near)
        for point in bullet.getClosestPoints(self._robot, uid, near, physicsClientId=self._client):
            normal, least = point[NORMAL], point[DISTANCE] - _MARGIN
            speed = _dot(_cross(turning, point[WHERE], center), normal) - _dot(relative, normal)
            # What is pushed to the side gives way, or is felt as a force; what is under the hand cannot.
            under = normal[2] > 0.5 or least > 0
            if speed > max(least, self._hit) or (under and -_dot(aim, normal) / 2 > max(least, self._pushed)):
                return True
        return False

    def _is_lowered(self, uid: int, near: set[int], way: Way, aim: Way) -> bool:
        """Whether what is held is about to be set or pressed on something."""
        down = max(-way[2], -aim[2] / 2)
        return down > self._hit and any(
            bullet.getClosestPoints(uid, other, down + _MARGIN, physicsClientId=self._client) for other in near - {uid}
        )


def _cross(a: Sequence[float], point: Vec3, center: Vec3) -> Vec3:
    """How a point of a body that turns about its centre by `a` moves."""
    x, y, z = point[0] - center[0], point[1] - center[1], point[2] - center[2]
    return a[1] * z - a[2] * y, a[2] * x - a[0] * z, a[0] * y - a[1] * x


def _dot(a: Sequence[float], b: Vec3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _times(enough: float, mass: float) -> int:
    return max(1, math.ceil(math.sqrt(enough / mass)))
