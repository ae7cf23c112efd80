"""How finely the next control step is divided: finer where the hand is about to hit, press or squeeze something light.

Bullet solves contacts by iteration. What is m kg and pressed by F newtons between two heavier things sinks in by about
F / (m n^2), times what one substep and its iterations leave, where a control step has n times the usual substeps.
"""

import math
from collections.abc import Sequence

import numpy as np

from simworld.geometry import Array
from simworld.physics.bullet import bullet

Contacts = Sequence[tuple[float, Array]]
"""Distance in metres of near points, and the unit vector from the body to the hand there (3,)."""

FINEST = 16
_NEAR = 0.03
"""Metres within which something may be hit in the next control step."""
_TOUCHING = 0.0015
_SLACK = 0.002
"""Metres by which something may be run into, were it not there, before it counts as hit or pressed."""
_PRESSED, _SQUEEZED = 0.8, 0.02
"""Kilogrammes from which the usual substeps do for what the arm presses and what the fingers squeeze."""
_FAST = 4.5 / 150
"""Metres that a body may move in one of the usual substeps; things that fall from the gripper's reach are slower."""
_THIN = 0.008
"""Metres of what must not be jumped over: the walls and the floor of the box."""


class Substeps:
    """Divides the control steps of one loaded World."""

    def __init__(self, client: int, robot: int, links: Sequence[int], masses: dict[int, float]) -> None:
        self._client, self._robot, self._links, self._masses = client, robot, tuple(links), masses
        self._moving = [uid for uid, mass in masses.items() if mass > 0]

    def __call__(self, velocity: Array, ahead: Array) -> int:
        """How many times the usual substeps the next control step takes.

        `velocity` (3,) is the tool's and `ahead` (3,) how far its motors aim in a control step.
        """
        finer = 1
        for uid in self._reached():
            finer = max(finer, self._for_hand(uid, velocity, ahead))
        for uid in self._moving:
            linear, _ = bullet.getBaseVelocity(uid, physicsClientId=self._client)
            way = math.hypot(*linear) / 150
            if way > _FAST:
                finer = max(finer, math.ceil(way / _THIN))
        return min(finer, FINEST)

    def _reached(self) -> set[int]:
        """The bodies within about _NEAR of the hand."""
        ends = [bullet.getAABB(self._robot, link, physicsClientId=self._client) for link in self._links]
        low = [min(values) - _NEAR for values in zip(*(end[0] for end in ends), strict=True)]
        high = [max(values) + _NEAR for values in zip(*(end[1] for end in ends), strict=True)]
        found = bullet.getOverlappingObjects(low, high, physicsClientId=self._client) or ()
        return {uid for uid, _ in found if uid in self._masses}

    def _for_hand(self, uid: int, velocity: Array, ahead: Array) -> int:
        points = bullet.getClosestPoints(self._robot, uid, _NEAR, physicsClientId=self._client)
        if not points:
            return 1
        mass = self._masses[uid] or math.inf
        near = [(point[8], np.array(point[7])) for point in points]
        touching = [normal for distance, normal in near if distance < _TOUCHING]
        if any(a @ b < -0.5 for a in touching for b in touching):
            return _times(_SQUEEZED, mass)
        linear, _ = bullet.getBaseVelocity(uid, physicsClientId=self._client)
        closing = (velocity - linear) / 25
        for distance, normal in near:
            towards = max(-float(closing @ normal), -float(ahead @ normal) if distance < _TOUCHING else 0.0)
            if towards > max(distance, 0.0) + _SLACK:
                return max(2, _times(_PRESSED, mass))
        return 1


def _times(enough: float, mass: float) -> int:
    return max(1, math.ceil(math.sqrt(enough / mass)))
