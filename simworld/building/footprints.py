"""The room that things take on a table, as discs that together hold them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simworld.scene.model import Part
from simworld.scene.shapes import bounding_box, footprint_radius

LONG = 0.075
"""Radius in metres of the least disc about something from which on it is held by several, where it is long."""
_MOST = 6


class Disc(NamedTuple):
    """A disc about (x, y) from the origin of a thing, along the world's axes, in metres."""

    x: float
    y: float
    radius: float


def footprint(parts: Sequence[Part], yaw: float) -> tuple[Disc, ...]:
    """The discs that hold a thing which is turned about z: one about its origin, or a row along what is large."""
    radius = footprint_radius(parts)
    if radius <= LONG:
        return (Disc(0.0, 0.0, radius),)
    (x, y, _), (a, b, _) = bounding_box(tuple(parts))
    longer, across = max(a, b), min(a, b)
    count = min(max(round(longer / across), 1), _MOST)
    half = longer / count
    c, s = math.cos(yaw), math.sin(yaw)
    discs = []
    for k in range(count):
        along = half * (2 * k + 1) - longer
        u, v = (x + along, y) if a >= b else (x, y + along)
        discs.append(Disc(c * u - s * v, s * u + c * v, math.hypot(half, across)))
    return tuple(discs)
