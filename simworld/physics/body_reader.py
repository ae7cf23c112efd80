"""What is read of bodies in Bullet, each thing once a step."""

from collections.abc import Mapping, Sequence
from typing import Any

from simworld.geometry import Vec3, rotated
from simworld.physics.bullet import bullet

Point = Sequence[Any]
"""A contact as Bullet tells it; the numbers that are read of it are named below."""
OTHER, OWN_LINK, OTHER_LINK, WHERE, NORMAL, DISTANCE, FORCE = 2, 3, 4, 6, 7, 8, 9


class BodyReader:
    """Reads the bodies of a client, of which some have their centre of mass, by id, elsewhere than their frame."""

    def __init__(self, client: int, centers: Mapping[int, Vec3]) -> None:
        self._client = client
        self._centers = {uid: center for uid, center in centers.items() if any(center)}
        self.step(1)

    def step(self, substeps: int) -> None:
        """Read all anew: there was a step of so many substeps."""
        self._substeps = substeps
        self._placed: dict[int, tuple[Vec3, Sequence[float]]] = {}
        self._moving: dict[int, tuple[Vec3, Vec3]] = {}
        self._points: dict[int, Sequence[Point]] = {}

    def placed(self, uid: int) -> tuple[Vec3, Sequence[float]]:
        """Where a body's centre of mass is, and how the body is turned (4,)."""
        if uid not in self._placed:
            self._placed[uid] = bullet.getBasePositionAndOrientation(uid, physicsClientId=self._client)
        return self._placed[uid]

    def moving(self, uid: int) -> tuple[Vec3, Vec3]:
        """Velocity of a body's centre of mass in m/s, and its spin in rad/s."""
        if uid not in self._moving:
            self._moving[uid] = bullet.getBaseVelocity(uid, physicsClientId=self._client)
        return self._moving[uid]

    def points(self, uid: int) -> Sequence[Point]:
        """Contacts of a body at the last step; normals point to it."""
        if uid not in self._points:
            self._points[uid] = bullet.getContactPoints(uid, physicsClientId=self._client)
        return self._points[uid]

    def force(self, point: Point) -> float:
        """Newtons with which a contact presses along its normal, in the last substep."""
        # Bullet divides the impulse of a substep by the whole control step.
        return float(point[FORCE] * self._substeps)

    def pose(self, uid: int) -> list[float]:
        """Pose (7,) of a body's frame."""
        position, orientation = self.placed(uid)
        if center := self._centers.get(uid):
            offset = rotated(orientation, center)
            return [*(p - o for p, o in zip(position, offset, strict=True)), *orientation]
        return [*position, *orientation]

    def velocity(self, uid: int) -> list[float]:
        """Velocity (6,) of a body's frame."""
        linear, angular = self.moving(uid)
        if center := self._centers.get(uid):
            (x, y, z), (a, b, c) = angular, rotated(self.placed(uid)[1], center)
            linear = (linear[0] - y * c + z * b, linear[1] - z * a + x * c, linear[2] - x * b + y * a)
        return [*linear, *angular]
