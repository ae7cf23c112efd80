"""Rings: blocks with an eight-sided hole, made of boxes."""

import math

from simworld.geometry import quat_from_yaw
from simworld.scene.model import Body, Box, Part

_SIDES = 8


def ring(hole: float, wall: float, height: float) -> tuple[Part, ...]:
    """The parts of a ring whose origin is the middle of its lower face.

    `hole` is the free width between opposite sides, `wall` how thick it is and `height` how high, all in metres.
    """
    middle, half = (hole + wall) / 2, (hole / 2 + wall) * math.tan(math.pi / _SIDES)
    box = Box(half_extents=(wall / 2, half, height / 2))
    angles = [2 * math.pi * k / _SIDES for k in range(_SIDES)]
    return tuple(
        Part(
            shape=box,
            position=(middle * math.cos(angle), middle * math.sin(angle), height / 2),
            orientation=quat_from_yaw(angle),
        )
        for angle in angles
    )


def hole_of(body: Body) -> tuple[float, float]:
    """The free width and the depth in metres of the hole of a body made by `ring`."""
    part = body.parts[0]
    assert isinstance(part.shape, Box)
    return 2 * (part.position[0] - part.shape.half_extents[0]), 2 * part.shape.half_extents[2]
