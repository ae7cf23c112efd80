"""The distributions of rotations and positions, as values; positions are (3,) in metres."""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from simworld.distributions.arithmetic import from_plain
from simworld.distributions.expressions import Distribution, check_nesting, is_numeric, near
from simworld.distributions.halves import split_fields
from simworld.distributions.values import check_numbers, dot, first_at, is_numbers, is_point
from simworld.errors import ConfigurationError, shown
from simworld.geometry import Vec3, invert, look_at, transform_points
from simworld.streams import Generator

Point = tuple[float, ...]


def _check_points(owner: Any, *names: str) -> None:
    """Raise ConfigurationError if the fields `names` of `owner` are no points."""
    for name in names:
        if not is_point(getattr(owner, name)):
            raise ConfigurationError(f"{owner!r}: {name} must be three finite numbers")


def _within(low: Point, value: Any, high: Point) -> bool:
    return is_point(value) and all(a <= v <= b for a, v, b in zip(low, value, high, strict=True))


def _angle_cdf(angle: float) -> float:
    """The probability that a uniform rotation turns by at most `angle` (Miles, Biometrika 52, 1965)."""
    return (angle - math.sin(angle)) / math.pi


@dataclass(frozen=True)
class Rotation(Distribution):
    """A uniform rotation, as a quaternion xyzw with w >= 0 (Shoemake, Graphics Gems III, 1992).

    Only of angles from `low` to `high`, in radians, if they are given; its halves are those of small and large angles.
    The density is by area on the unit half-sphere w >= 0 of four dimensions.
    """

    low: float = 0.0
    high: float = math.pi

    def __post_init__(self) -> None:
        check_numbers(self, self.low, self.high)
        if not 0 <= self.low < self.high <= math.pi:
            raise ConfigurationError(f"{self!r}: low and high must rise within 0 and pi")

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        u, a, b = generator.random(3).tolist()
        a, b = 2 * math.pi * a, 2 * math.pi * b
        r, s = math.sqrt(1 - u), math.sqrt(u)
        quaternion = _upper((r * math.sin(a), r * math.cos(a), s * math.sin(b), s * math.cos(b)))
        return quaternion if self._whole() else self._moved(quaternion)

    def support(self) -> tuple[Any, ...]:
        return (-1.0, -1.0, -1.0, 0.0), (1.0, 1.0, 1.0, 1.0)

    def density(self, value: Any) -> float:
        if not _is_quaternion(value) or not self.low <= _angle(value) <= self.high:
            return 0.0
        return 1 / (math.pi**2 * self._mass())

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        middle = self._angle_at(1 - holdout)
        return replace(self, high=middle), replace(self, low=middle)

    def arguments(self) -> tuple[Any, ...]:
        return () if self._whole() else (self.low, self.high)

    def _whole(self) -> bool:
        return (self.low, self.high) == (0.0, math.pi)

    def _mass(self) -> float:
        return _angle_cdf(self.high) - _angle_cdf(self.low)

    def _angle_at(self, p: float) -> float:
        return first_at(_angle_cdf, _angle_cdf(self.low) + p * self._mass(), self.low, self.high)

    def _moved(self, quaternion: tuple[float, ...]) -> tuple[float, ...]:
        """The rotation about the same axis whose angle has the same rank between `low` and `high`."""
        half = self._angle_at(_angle_cdf(_angle(quaternion))) / 2
        scale = math.sin(half) / math.hypot(*quaternion[:3])
        return (*(scale * part for part in quaternion[:3]), math.cos(half))


@dataclass(frozen=True)
class RotationAbout(Distribution):
    """A rotation by `angle`, in radians, about `axis`, of any length, as a quaternion xyzw with w >= 0.

    The density is by angle. Halves share nothing where the angles span no more than a turn.
    """

    axis: Point
    angle: Distribution

    def __post_init__(self) -> None:
        _check_points(self, "axis")
        object.__setattr__(self, "angle", from_plain(self.angle))
        if not any(self.axis):
            raise ConfigurationError(f"{self!r}: axis must not be 0")
        if not is_numeric(self.angle):
            raise ConfigurationError(f"{shown(self)}: angle must be a number or a distribution of numbers")
        check_nesting(self)

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        half = self.angle(generator) / 2
        return _upper((*(math.sin(half) * part for part in self._unit()), math.cos(half)))

    def support(self) -> tuple[Any, ...]:
        reach = tuple(abs(part) for part in self._unit())
        return (*(-part for part in reach), 0.0), (*reach, 1.0)

    @property
    def continuous(self) -> bool:
        return self.angle.continuous

    def density(self, value: Any) -> float:
        if not _is_quaternion(value):
            return 0.0
        sine = dot(value[:3], self._unit())
        if math.dist(value[:3], [sine * part for part in self._unit()]) > 1e-9:
            return 0.0
        turns = [2 * math.atan2(sine, value[3]) + 2 * math.pi * turn for turn in range(-2, 3)]
        return math.fsum(
            self.angle.density(angle) if self.continuous else near(self.angle, angle, 1e-9) for angle in turns
        )

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return split_fields(self, holdout, "angle")

    def _unit(self) -> Point:
        return tuple(part / math.hypot(*self.axis) for part in self.axis)


def _upper(q: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(-part for part in q) if q[3] < 0 else q


def _is_quaternion(value: Any) -> bool:
    return is_numbers(value, 4) and value[3] >= 0 and abs(math.hypot(*value) - 1) < 1e-9


def _angle(quaternion: tuple[float, ...]) -> float:
    return 2 * math.atan2(math.hypot(*quaternion[:3]), quaternion[3])


@dataclass(frozen=True)
class InBox(Distribution):
    """A position uniform in the box from corner `low` to corner `high`; flat boxes, lines and points are allowed.

    The density is by volume, or by area or length where the box has no more. Halves are cut across its longest edge.
    """

    low: Point
    high: Point

    def __post_init__(self) -> None:
        _check_points(self, "low", "high")
        if not _within(self.low, self.high, (math.inf,) * 3):
            raise ConfigurationError(f"{self!r}: low must be at most high")

    def __call__(self, generator: Generator) -> Point:
        shares = generator.random(3).tolist()
        return tuple(low + (high - low) * u for low, high, u in zip(self.low, self.high, shares, strict=True))

    def support(self) -> tuple[Any, ...]:
        return self.low, self.high

    @property
    def continuous(self) -> bool:
        return self.low != self.high

    def density(self, value: Any) -> float:
        return 1 / math.prod(edge for edge in self._edges() if edge) if _within(self.low, value, self.high) else 0.0

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        if not self.continuous:
            return self, self
        edges = self._edges()
        axis = edges.index(max(edges))
        middle = self.low[axis] + (1 - holdout) * edges[axis]
        first, second = list(self.high), list(self.low)
        first[axis] = second[axis] = middle
        return replace(self, high=tuple(first)), replace(self, low=tuple(second))

    def _edges(self) -> list[float]:
        return [b - a for a, b in zip(self.low, self.high, strict=True)]


@dataclass(frozen=True)
class InDisc(Distribution):
    """A position uniform by area in the level disc about `center`, or the ring from radius `inner` to `radius`."""

    center: Point
    radius: float
    inner: float = 0.0

    def __post_init__(self) -> None:
        _check_points(self, "center")
        check_numbers(self, self.radius, self.inner)
        if not 0 <= self.inner < self.radius:
            raise ConfigurationError(f"{self!r}: inner must be at least 0, and radius greater")

    def __call__(self, generator: Generator) -> Point:
        share, turn = generator.random(2).tolist()
        r, angle = self._radius_at(share), 2 * math.pi * turn
        x, y, z = self.center
        return x + r * math.cos(angle), y + r * math.sin(angle), z

    def support(self) -> tuple[Any, ...]:
        x, y, z = self.center
        return (x - self.radius, y - self.radius, z), (x + self.radius, y + self.radius, z)

    def density(self, value: Any) -> float:
        level = is_point(value) and value[2] == self.center[2]
        inside = level and self.inner <= math.dist(value, self.center) <= self.radius
        return 1 / (math.pi * (self.radius**2 - self.inner**2)) if inside else 0.0

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        middle = self._radius_at(1 - holdout)
        return replace(self, radius=middle), replace(self, inner=middle)

    def _radius_at(self, p: float) -> float:
        return math.sqrt(self.inner**2 + p * (self.radius**2 - self.inner**2))


@dataclass(frozen=True)
class OnSurface(Distribution):
    """A position uniform by area on the surface of the box from corner `low` to corner `high`; it cannot be split."""

    low: Point
    high: Point

    def __post_init__(self) -> None:
        _check_points(self, "low", "high")
        if not _within(self.low, self.high, (math.inf,) * 3) or not sum(self._areas()):
            raise ConfigurationError(f"{self!r}: low must be at most high, with an area between them")

    def __call__(self, generator: Generator) -> Point:
        areas = self._areas()
        share, side = (generator.random(2) * (sum(areas), 2)).tolist()
        axis = 0 if share < areas[0] else 1 if share < areas[0] + areas[1] else 2
        position = generator.uniform(self.low, self.high).tolist()
        position[axis] = (self.low, self.high)[int(side)][axis]
        return tuple(position)

    def support(self) -> tuple[Any, ...]:
        return self.low, self.high

    def density(self, value: Any) -> float:
        if not _within(self.low, value, self.high):
            return 0.0
        on = any(v in ends for v, *ends in zip(value, self.low, self.high, strict=True))
        flat = any(a == b for a, b in zip(self.low, self.high, strict=True))
        return on / (sum(self._areas()) * (1 if flat else 2))

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        raise ConfigurationError(f"{self}: a surface cannot be split")

    def _areas(self) -> tuple[float, float, float]:
        """The areas of one face across x, y and z."""
        x, y, z = (b - a for a, b in zip(self.low, self.high, strict=True))
        return y * z, x * z, x * y


@dataclass(frozen=True)
class InFrustum(Distribution):
    """A position uniform by volume in what a square camera at `position`, which faces `target`, sees.

    Its field of view is `fov` radians along either side; `near` and `far` are distances along the line to the target.
    Halves are those of near and far.
    """

    position: Point
    target: Point
    fov: float
    near: float
    far: float

    def __post_init__(self) -> None:
        _check_points(self, "position", "target")
        check_numbers(self, self.fov, self.near, self.far)
        if self.position == self.target:
            raise ConfigurationError(f"{self!r}: position and target must differ")
        if not 0 < self.fov < math.pi or not 0 <= self.near < self.far:
            raise ConfigurationError(f"{self!r}: fov must be between 0 and pi, near at least 0 and far greater")

    def __call__(self, generator: Generator) -> Point:
        share, *sides = generator.random(3).tolist()
        depth = self._depth_at(share)
        x, y = ((2 * side - 1) * depth * self._slope() for side in sides)
        return tuple(transform_points(self._pose(), [(x, y, depth)])[0].tolist())

    def support(self) -> tuple[Any, ...]:
        rays = [(x * self._slope(), y * self._slope(), 1.0) for x, y in product((-1, 1), repeat=2)]
        corners = [[d * part for part in ray] for ray in rays for d in (self.near, self.far)]
        points = transform_points(self._pose(), corners)
        return tuple(points.min(axis=0).tolist()), tuple(points.max(axis=0).tolist())

    def density(self, value: Any) -> float:
        if not is_point(value):
            return 0.0
        x, y, depth = transform_points(invert(self._pose()), [value])[0].tolist()
        inside = self.near <= depth <= self.far and max(abs(x), abs(y)) <= depth * self._slope()
        return 3 / (4 * self._slope() ** 2 * (self.far**3 - self.near**3)) if inside else 0.0

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        middle = self._depth_at(1 - holdout)
        return replace(self, far=middle), replace(self, near=middle)

    def _depth_at(self, p: float) -> float:
        return math.cbrt(self.near**3 + p * (self.far**3 - self.near**3))

    def _slope(self) -> float:
        return math.tan(self.fov / 2)

    def _pose(self) -> tuple[float, ...]:
        eye, target = _vec3(self.position), _vec3(self.target)
        up = (0.0, 1.0, 0.0) if eye[:2] == target[:2] else (0.0, 0.0, 1.0)
        return *eye, *look_at(eye, target, up)


def _vec3(point: Point) -> Vec3:
    x, y, z = point
    return x, y, z
