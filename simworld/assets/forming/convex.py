"""The convex parts that things are touched as, made with their surfaces: walls of hollow things are wedges of rings."""

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from simworld.assets.forming.form import Shell
from simworld.assets.forming.shells import capped, circle
from simworld.geometry import Array

_WEDGES = 10


def block(size: Sequence[float], place: Sequence[float] = (0.0, 0.0, 0.0)) -> Shell:
    """A box of a size (3,) with its middle at a place."""
    x, y, z = (side / 2 for side in size)
    base = np.array([(x, y), (-x, y), (-x, -y), (x, -y)])
    rings = [np.column_stack([base, np.full(4, end)]) for end in (-z, z)]
    return capped(np.array(rings) + place)


def lathe(profile: Sequence[tuple[float, float]], around: int = 16) -> Shell:
    """What a convex profile (r, 2) of radii and heights, upwards, sweeps about z, with flat ends."""
    return capped([circle(max(radius, 1e-4), z, around) for radius, z in profile])


def ring(
    outer: Sequence[tuple[float, float]], inner: Sequence[tuple[float, float]], wedges: int = _WEDGES
) -> list[Shell]:
    """The wall between two profiles of as many radii and heights, upwards, in wedges between each two of them."""
    made = []
    for k in range(len(outer) - 1):
        for wedge in range(wedges):
            angles = 2 * pi * (wedge + np.array([0.0, 0.5, 1.0])) / wedges
            rings = []
            for (outside, height), (inside, floor) in zip(outer[k : k + 2], inner[k : k + 2], strict=True):
                arc = [(outside * np.cos(a), outside * np.sin(a), height) for a in angles]
                back = [(inside * np.cos(a), inside * np.sin(a), floor) for a in (angles[2], angles[0])]
                rings.append([*arc, *back])
            made.append(capped(rings))
    return made


def segments(rings: ArrayLike, every: int = 1) -> list[Shell]:
    """A tube over rings (r, k, 3) in parts of so many bands each, every one taken to be straight."""
    points: Array = np.asarray(rings, dtype=float)
    ends = [*range(0, len(points) - 1, every), len(points) - 1]
    return [capped(points[[a, b]]) for a, b in zip(ends, ends[1:], strict=False)]


def around_hole(outer: Array, inner: Array, low: float, high: float, every: int) -> list[Shell]:
    """What is between two outlines (k, 2) about the origin, in parts of so many of their sides each."""
    made = []
    for begin in range(0, len(outer), every):
        rows = np.arange(begin, begin + every + 1) % len(outer)
        corners = np.concatenate([outer[rows], inner[rows[[-1, 0]]]])
        made.append(capped([np.column_stack([corners, np.full(len(corners), z)]) for z in (low, high)]))
    return made
