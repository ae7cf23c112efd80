"""Whether an arm moves alone: all else rests, and there is nothing on its way."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.kernels import kernel
from simworld.physics.articulated import placed
from simworld.physics.body_reader import OWN_LINK, BodyReader
from simworld.physics.bullet import bullet
from simworld.physics.timing import Timing

_STILL = 0.002, 0.1
"""Metres and radians per second, along and about each axis, below which something stands still: 99 of 100 things that
rest on others tremble by less, and a ball of 2 cm that spins by the one rolls by the other."""
_STEPS, _SECONDS = 2, 0.08
"""Steps of Bullet after each of which all has to stand still, and how long they are together, at the least: what turns
back is faster again in the step after it, and what starts from rest is faster in the end."""
_CLEAR = 0.01
"""Metres beyond its way within which the arm is not alone."""


class Clearance:
    """Watches a loaded world with a `robot`, whose links that can be hit are within `spheres`, and other bodies.

    The `movable` of these are those that have a mass.
    """

    def __init__(
        self,
        client: int,
        robot: int,
        spheres: Array,
        bodies: Sequence[int],
        movable: Iterable[int],
        reader: BodyReader,
        timing: Timing,
    ) -> None:
        self._client, self._robot, self._spheres, self._reader = client, robot, spheres, reader
        self._links = {int(row) - 1 for row in spheres[:, 0]}
        self._bodies, self._movable = bodies, tuple(movable)
        self._near = np.zeros(len(bodies), dtype=np.bool_)
        self._steps = max(_STEPS, math.ceil(_SECONDS * timing.control_hz))
        self.disturb()

    def disturb(self) -> None:
        """Watch anew: something was moved or pushed."""
        self._still, self._looked = (0 if self._movable else self._steps), True
        self._boxes: Array | None = None

    def step(self) -> None:
        """Look again: there was a step."""
        self._looked, self._boxes = False, None

    def is_still(self) -> bool:
        """Whether nothing moves but the arm, which touches nothing."""
        if not self._looked:
            self._looked = True
            self._still = self._still + 1 if self._stands_still() else 0
        return self._still >= self._steps

    def _stands_still(self) -> bool:
        if self._reader.points(self._robot):
            return False
        for uid in self._movable:
            linear, spin = self._reader.moving(uid)
            if max(map(abs, linear)) > _STILL[0] or max(map(abs, spin)) > _STILL[1]:
                return False
        return True

    def is_clear(self, before: Array, after: Array, catch_up: Callable[[], None]) -> bool:
        """Whether links that move from poses `before` (links, 7) to those `after` come near to nothing.

        `catch_up` is called where Bullet must know where they are `before`.
        """
        if self._boxes is None:
            boxes = [bullet.getAABB(uid, physicsClientId=self._client) for uid in self._bodies]
            self._boxes = np.array(boxes).reshape(-1, 6)
        far = find_near(self._spheres, before, after, self._boxes, _CLEAR, self._near)
        if not self._near.any():
            return True
        catch_up()
        near = (uid for uid, is_near in zip(self._bodies, self._near.tolist(), strict=True) if is_near)
        return not any(self._may_hit(uid, far + _CLEAR) for uid in near)

    def _may_hit(self, uid: int, distance: float) -> bool:
        """Whether a link that moves is as near to a body."""
        points = bullet.getClosestPoints(self._robot, uid, distance, physicsClientId=self._client)
        return any(point[OWN_LINK] in self._links for point in points)


@kernel
def find_near(spheres: Any, before: Any, after: Any, boxes: Any, clear: float, near: Any) -> float:
    """Mark the boxes (n, 6), lower and upper corners, that are `near` (n,) the way of spheres, and how long that is.

    It is as far as any point in them moves, in metres; the spheres move with links.
    """
    far = 0.0
    for i in range(boxes.shape[0]):
        near[i] = False
    for k in range(spheres.shape[0]):
        row, radius = int(spheres[k, 0]), spheres[k, 4]
        one, other = before[row], after[row]
        x, y, z = spheres[k, 1], spheres[k, 2], spheres[k, 3]
        ax, ay, az = placed(one, x, y, z)
        bx, by, bz = placed(other, x, y, z)
        way = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2)
        same = one[3] * other[3] + one[4] * other[4] + one[5] * other[5] + one[6] * other[6]
        far = max(far, way + radius * 2 * math.sqrt(max(0.0, 1 - same * same)))
        most = radius + way + clear
        for i in range(boxes.shape[0]):
            dx = max(boxes[i, 0] - bx, 0.0, bx - boxes[i, 3])
            dy = max(boxes[i, 1] - by, 0.0, by - boxes[i, 4])
            dz = max(boxes[i, 2] - bz, 0.0, bz - boxes[i, 5])
            if dx * dx + dy * dy + dz * dz < most * most:
                near[i] = True
    return far
