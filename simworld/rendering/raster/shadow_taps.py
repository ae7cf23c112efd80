"""How much of a light passes the texels of a shadow map."""

from typing import Any

import numpy as np

from simworld.kernels import inlined
from simworld.rendering.raster.work import CORNER, LANES, MAP, TAPS

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)


@inlined
def weigh_rows(count: int, flat: Any, size: int, out: int, w: Any, whole: Any) -> None:
    """Fill row `out` from the four texels at and around CORNER, weighed by how far right and below it MAP says."""
    for j in range(count):
        k = np.uint64(whole[CORNER + j])
        w[TAPS + j], w[TAPS + LANES + j] = flat[k], flat[k + np.uint64(1)]
        w[TAPS + 2 * LANES + j], w[TAPS + 3 * LANES + j] = flat[k + np.uint64(size)], flat[k + np.uint64(size + 1)]
    for j in range(count):
        a, b, c, d = w[TAPS + j], w[TAPS + LANES + j], w[TAPS + 2 * LANES + j], w[TAPS + 3 * LANES + j]
        w[out + j] = _weighed(a, b, c, d, w[MAP + j], w[MAP + LANES + j], w[MAP + 2 * LANES + j])


@inlined
def _weighed(a: Any, b: Any, c: Any, d: Any, s: Any, t: Any, near: Any) -> Any:
    """Compared first, blended after: a bilinear weight of four texels; beyond the map all is lit."""
    inside = (s >= _ZERO) & (s <= _ONE) & (t >= _ZERO) & (t <= _ONE)
    a, b = _ONE if a <= near else _ZERO, _ONE if b <= near else _ZERO
    c, d = _ONE if c <= near else _ZERO, _ONE if d <= near else _ZERO
    upper = a + s * (b - a)
    lower = c + s * (d - c)
    return upper + t * (lower - upper) if inside else _ONE


@inlined
def tap(shadows: Any, frame: Any, u: Any, v: Any, near: Any) -> Any:
    """How much of the light passes one place (u, v) of a shadow map, whose `frame` is as from `frame_of`."""
    begin, columns, rows = frame
    u, v = u - _HALF, v - _HALF
    left, top = min(max(np.floor(u), _ZERO), _F(columns - 2)), min(max(np.floor(v), _ZERO), _F(rows - 2))
    # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
    i, j = np.uint64(begin + min(max(np.int32(top), 0), rows - 2)), np.uint64(min(max(np.int32(left), 0), columns - 2))
    below, right = i + np.uint64(1), j + np.uint64(1)
    a, b, c, d = shadows[i, j], shadows[i, right], shadows[below, j], shadows[below, right]
    return _weighed(a, b, c, d, u - left, v - top, near)
