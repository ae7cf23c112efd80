"""Symmetries of forms, about their centre of mass."""

from math import cos, pi, sin

import numpy as np

from simworld.assets.index import SymmetryAxis
from simworld.geometry import Array

ABOUT_Z = (SymmetryAxis(axis=(0.0, 0.0, 1.0), offset=(0.0, 0.0, 0.0)),)
"""Every turn about the z axis."""


def turns_about(axis: int, count: int) -> list[Array]:
    """The turns (3, 3) about an axis that map what is so many times alike around it onto itself, but for none."""
    made = []
    for k in range(1, count):
        c, s = cos(2 * pi * k / count), sin(2 * pi * k / count)
        turn = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn[[a, a, b, b], [a, b, a, b]] = c, -s, s, c
        made.append(turn)
    return made


def group(*generators: Array) -> list[Array]:
    """All turns that some turns make one after the other, but for none."""
    found = [np.eye(3)]
    for turn in found:  # which grows
        for generator in generators:
            product = np.round(generator @ turn, 9)
            if not any(np.allclose(product, other) for other in found):
                found.append(product)
    return found[1:]
