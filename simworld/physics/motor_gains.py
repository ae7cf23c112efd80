"""Gains of motors that act more or less often than usual, and yet move the same."""

import cmath
from functools import cache

import numpy as np

from simworld.geometry import Array

STRIDES = 2
"""Substeps with which a motor can be, and move, as it would after more of them."""


@cache
def finer(position: float, velocity: float, times: float) -> tuple[float, float]:
    """Gains with which a motor moves as with `position` and `velocity` although it acts `times` as often.

    A substep multiplies the deviation from the target by the roots of z^2 - (2 - velocity - position) z + 1 - velocity.
    """
    if times == 1:
        return position, velocity
    total, product = 2 - velocity - position, 1 - velocity
    half = cmath.sqrt(total * total / 4 - product)
    roots = [(total / 2 + sign * half) ** (1 / times) for sign in (1, -1)]
    both = (roots[0] * roots[1]).real
    return 1 + both - (roots[0] + roots[1]).real, 1 - both


@cache
def striding(position: float, velocity: float, usual: int) -> tuple[float, float, float, float]:
    """Gains for a control step of STRIDES, after which a motor is and moves as after `usual` substeps with its own.

    And by which parts of its deviation, and of its way in a usual substep, its target is shifted. A motor that acts
    less often acts later, which both make up for: they solve what the two strides must do, exactly.
    """
    length, start = usual / STRIDES, np.array([1.0, 0.0])
    substep = np.array([[1 - position, 1 - velocity], [-position, 1 - velocity]])
    # Of a unit of deviation and of way each: the deviation and the way at the end, and after the first stride.
    end, last = np.linalg.matrix_power(substep, usual)
    middle = end - length * last
    first = (middle - start) / length
    kept, gain = _solved(first - start[::-1], (start - middle) / length, last - first)
    ahead, lead = (first + gain / length * start - kept * start[::-1]) * (length / gain)
    return gain, 1 - kept, float(ahead), float(lead)


def _solved(a: Array, b: Array, c: Array) -> tuple[float, float]:
    """x and y of which a x + b y is c (2,)."""
    x, y = np.linalg.solve(np.stack([a, b], axis=1), c).tolist()
    return x, y
