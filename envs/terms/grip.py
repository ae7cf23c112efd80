"""Where a thing is to be grasped."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simworld.envs.fields import Field, Noise
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import PropName, term
from simworld.geometry import Vec3, matrix_to_quat, quat_to_matrix, rotated
from simworld.scene.model import Cylinder, Mesh, Sphere
from simworld.scene.shapes import bounds

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Part, Scene

_AXES = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_LEVEL = 3.0
"""Times as far along the ground as up that the axis of a grip goes at least."""
_ALIKE = 1.1
"""Times as wide one way as the other that is no difference: it is grasped in the way that fingers close at rest."""


@term
class grip(Observed):
    """Where fingers that come from above take a thing, along which axis they close, and how wide it is there.

    Of the grips that a mesh has, it is the first whose axis is level as the thing lies, or one as wide that takes less
    of a turn; where there is none, it is at the origin, across the narrower horizontal side of the body's bounds.
    """

    name: PropName

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        name = self.name
        place = f"where the {name} is to be grasped"
        return (
            Field(f"{name}_grip_position", LOWEST, HIGHEST, "m", place, (Noise("position", 0, 3),)),
            Field(
                f"{name}_grip_axis",
                (0.0, -1.0),
                (1.0, 1.0),
                "",
                "horizontal direction in which fingers are to close, x >= 0",
                (),
            ),
            Field(f"{name}_grip_width", (0.0,), (0.5,), "m", "how wide it is there", ()),
        )

    def begin(self, scene: "Scene") -> Read:
        name, at = self.name, grip_of(scene.body(self.name).parts)
        before: Sequence[float] = ()
        told: list[float] = []

        def read(now: Instant) -> list[float]:
            nonlocal before, told
            pose = now.pose(name)
            if pose != before:  # most things stand still in most steps
                before, told = pose, at(pose)
            return told

        return read


def grip_of(parts: Sequence["Part"]) -> Callable[[Sequence[float]], list[float]]:
    """What gives the numbers of the fields of `grip` for a thing made of some parts, at a pose (7,) in the world."""
    half, rolls, grips = bounds(parts), _round_about(parts), _grips(parts)

    def at(pose: Sequence[float]) -> list[float]:
        (x, y, z), (a, b), width = _best(pose, grips) or (pose[:3], *_across(pose[3:], half, rolls))
        return [x, y, z, *((-a, -b) if a < 0 else (a, b)), width]

    return at


class _Grip(NamedTuple):
    """In a body's frame: a place, the axis along which fingers close about it, and how wide it is there."""

    place: Vec3
    axis: Vec3
    width: float


def _grips(parts: Sequence["Part"]) -> list[_Grip]:
    """The grips of the one mesh that a thing is, stretched as it is, the best first; of others none."""
    shape = parts[0].shape
    if len(parts) > 1 or not isinstance(shape, Mesh):
        return []
    to_file = matrix_to_quat(quat_to_matrix(shape.asset.orientation).T)

    def stretched(v: Vec3) -> Vec3:
        x, y, z = (shape.scale * a * s for a, s in zip(rotated(to_file, v), shape.stretch, strict=True))
        return rotated(shape.asset.orientation, (x, y, z))

    axes = [stretched(grip.axis) for grip in shape.asset.grips]
    return [
        _Grip(stretched(grip.position), axis, grip.width * math.hypot(*axis))
        for grip, axis in zip(shape.asset.grips, axes, strict=True)
    ]


def _best(pose: Sequence[float], grips: Sequence[_Grip]) -> tuple[Vec3, tuple[float, float], float] | None:
    """Where in the world the best of some grips is, along which axis, and how wide; none where no axis is level."""
    level: list[tuple[float, _Grip, tuple[float, float]]] = []
    for grip in grips:
        x, y, z = rotated(pose[3:], grip.axis)
        if (length := math.hypot(x, y)) > _LEVEL * abs(z):
            level.append((abs(y) / length, grip, (x / length, y / length)))
    if not level:
        return None
    widest = _ALIKE * level[0][1].width
    _, grip, axis = max((one for one in level if one[1].width <= widest), key=lambda one: one[0])
    x, y, z = (here + way for here, way in zip(pose, rotated(pose[3:], grip.place), strict=False))
    return (x, y, z), axis, grip.width


def _round_about(parts: Sequence["Part"]) -> tuple[int, ...]:
    """The axes of a thing about which it is round."""
    match tuple(parts):
        case (part,) if isinstance(part.shape, Sphere):
            return 0, 1, 2
        case (part,) if isinstance(part.shape, Cylinder):
            return (2,)
    return ()


def _across(
    orientation: Sequence[float], half: Sequence[float], rolls: Sequence[int]
) -> tuple[tuple[float, float], float]:
    """The direction (2,) and the width in metres across the narrower horizontal side of a box, turned as it is."""
    turned = [rotated(orientation, axis) for axis in _AXES]
    up = max(range(3), key=lambda k: abs(turned[k][2]))
    one, other = (up + 1) % 3, (up + 2) % 3
    if up in rolls:
        return (0.0, 1.0), 2 * half[one]
    if half[one] > _ALIKE * half[other]:
        best = other
    elif half[other] > _ALIKE * half[one]:
        best = one
    else:
        best = max(one, other, key=lambda k: abs(turned[k][1]))
    x, y, _ = turned[best]
    length = math.hypot(x, y)
    return (x / length, y / length), 2 * half[best]
