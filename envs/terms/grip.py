"""Where a thing is to be grasped."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import PropName, term
from simworld.geometry import rotated
from simworld.scene.model import Cylinder, Sphere
from simworld.scene.shapes import bounds

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Body, Scene

_AXES = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_ALIKE = 1.1
"""Times as wide one way as the other that is no difference: it is grasped in the way that fingers close at rest."""


@term
class grip(Observed):
    """Where fingers that come from above take a thing, along which axis they close, and how wide it is there.

    That is at its origin, across the narrower of its horizontal sides.
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
        name, body = self.name, scene.body(self.name)
        half, rolls = bounds(body.parts), _round_about(body)

        def read(now: Instant) -> list[float]:
            pose = now.pose(name)
            x, y, width = _across(pose[3:], half, rolls)
            return [*pose[:3], *((-x, -y) if x < 0 else (x, y)), width]

        return read


def _round_about(body: "Body") -> tuple[int, ...]:
    """The axes of a body about which it is round."""
    match body.parts:
        case (part,) if isinstance(part.shape, Sphere):
            return 0, 1, 2
        case (part,) if isinstance(part.shape, Cylinder):
            return (2,)
    return ()


def _across(orientation: Sequence[float], half: Sequence[float], rolls: Sequence[int]) -> tuple[float, float, float]:
    """The direction (2,) and the width in metres across the narrower horizontal side of a box, turned as it is."""
    turned = [rotated(orientation, axis) for axis in _AXES]
    up = max(range(3), key=lambda k: abs(turned[k][2]))
    one, other = ((up + 1) % 3, (up + 2) % 3)
    if up in rolls:
        return 0.0, 1.0, 2 * half[one]
    if half[one] > _ALIKE * half[other]:
        best = other
    elif half[other] > _ALIKE * half[one]:
        best = one
    else:
        best = max(one, other, key=lambda k: abs(turned[k][1]))
    x, y, _ = turned[best]
    length = math.hypot(x, y)
    return x / length, y / length, 2 * half[best]
