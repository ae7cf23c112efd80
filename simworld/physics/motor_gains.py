"""Gains of motors that act more or less often than usual, and yet move the same."""

import cmath
from functools import cache


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
