"""Gains of motors that act more or less often than usual, and yet move the same."""

import cmath
from functools import cache

STRIDES = 3
"""Substeps with which a motor can be, and move, as it would after more of them."""
_ROUNDS, _CHANGE = 10, 1e-7
"""Of Newton's method, of which six are enough; and of gains, to find slopes."""

_Moved = tuple[float, float, float, float]
"""The deviation at the end, of a unit of deviation and of a unit of way in a substep at the start; then the way."""


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
    less often acts later, which both make up for: Newton's method solves what the strides must do, to the last digits.
    """
    length = usual / STRIDES
    kept, moved, turned, moving = _after(position, velocity, usual)
    wanted = kept, moved / length, turned * length, moving
    gain, damping = finer(position, velocity, 1 / length)
    for _ in range(_ROUNDS):
        a, b = _off(gain, damping, wanted)
        ag, bg = ((c - d) / _CHANGE for c, d in zip(_off(gain + _CHANGE, damping, wanted), (a, b), strict=True))
        ad, bd = ((c - d) / _CHANGE for c, d in zip(_off(gain, damping + _CHANGE, wanted), (a, b), strict=True))
        whole = ag * bd - ad * bg
        gain, damping = gain - (a * bd - b * ad) / whole, damping - (b * ag - a * bg) / whole
    kept, moved, *_ = _after(gain, damping, STRIDES)
    return gain, damping, 1 - (1 - wanted[0]) / (1 - kept), length * (wanted[1] - moved) / (1 - kept)


def _after(position: float, velocity: float, substeps: int) -> _Moved:
    """What a motor does in some substeps."""
    kept, moved, turned, moving = 1.0, 0.0, 0.0, 1.0
    for _ in range(substeps):
        turned, moving = turned * (1 - velocity) - kept * position, moving * (1 - velocity) - moved * position
        kept, moved = kept + turned, moved + moving
    return kept, moved, turned, moving


def _off(position: float, velocity: float, wanted: _Moved) -> tuple[float, float]:
    """How far strides move at the end from what is wanted, with a target at which they come to the right place."""
    kept, moved, turned, moving = _after(position, velocity, STRIDES)
    right = 1 - wanted[0]
    return turned * right - wanted[2] * (1 - kept), (moving - wanted[3]) * right + wanted[2] * (moved - wanted[1])
