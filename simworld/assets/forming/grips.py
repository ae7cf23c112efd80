"""Where hands take things: around them, at their walls, at their handles."""

from math import cos, pi, sin

from simworld.assets.index import GripPlace

_DEEP = 0.015
"""Metres that fingers reach below the upper end of what they take."""


def across(width: float, height: float, x: float = 0.0, y: float = 0.0) -> list[GripPlace]:
    """Grips around what is `width` across at a place: in its middle, or as deep below its top as fingers reach.

    The fingers close along y, or along x.
    """
    z = max(height / 2, height - 2 * _DEEP)
    return [GripPlace(position=(x, y, z), axis=axis, width=width) for axis in ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0))]


def at_wall(radius: float, height: float, thickness: float, count: int = 8) -> list[GripPlace]:
    """Grips of a round wall at so many places, with a finger inside; the first is opposite to x."""
    angles = [pi + 2 * pi * k / count for k in range(count)]
    return [
        GripPlace(
            position=(round(radius * cos(a), 6), round(radius * sin(a), 6), height - _DEEP),
            axis=(round(cos(a), 6), round(sin(a), 6), 0.0),
            width=thickness,
        )
        for a in angles
    ]


def along(x: float, z: float, width: float, y: float = 0.0) -> GripPlace:
    """A grip of a bar along x: the fingers close along y."""
    return GripPlace(position=(x, y, z), axis=(0.0, 1.0, 0.0), width=width)


def between(width: float, z: float) -> GripPlace:
    """A grip at a height of what stands, with fingers that close along x."""
    return GripPlace(position=(0.0, 0.0, z), axis=(1.0, 0.0, 0.0), width=width)
