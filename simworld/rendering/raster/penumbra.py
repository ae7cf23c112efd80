"""Soft shadows, of many places at a time: what is in the way, and how much of the light passes it (Fernando 2005)."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.shadow_taps import weigh_rows
from simworld.rendering.raster.work import (
    BLOCKERS,
    CORNER,
    LANES,
    LIT,
    MAP,
    PASSED,
    PENUMBRA,
    PENUMBRA_FRAME,
    SOFT,
    SOFT_FRAME,
    SOFT_TAPS,
    TAPS,
)

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_SEARCH = 3
_MOST_TAPS = 4
"""Soft shadows look for what is in the way at 7 x 7 places, and average up to 9 x 9."""
_U, _V, _NEAR, _RIGHT, _DOWN, _REACH, _WIDER = (SOFT + k * LANES for k in range(7))
_STEP = PENUMBRA + 5 * LANES


@kernel
def soften_rows(count: int, radius: Any, flat: Any, size: int, w: Any, whole: Any) -> None:
    """Dim LIT at the first `count` places of SOFT, by maps whose texels are `flat`, of which `size` are in a row.

    What throws a shadow softens it by `radius` times how much nearer it is to the light, times the last row of SOFT.
    """
    _find_blockers(count, flat, size, w, whole)
    for j in range(count):
        near, blockers = w[_NEAR + j], w[BLOCKERS + LANES + j]
        blocker = w[BLOCKERS + j] / blockers if blockers > _ZERO else _F(-1e9)
        wide = radius * (blocker - near) * w[_WIDER + j]
        w[_REACH + j] = wide
        whole[SOFT_TAPS + j] = int(min(max(np.ceil(wide), _ZERO), _F(_MOST_TAPS))) if blocker > near else -1
    for taps in range(_MOST_TAPS + 1):
        alike = _take(count, taps, w, whole)
        if alike > 0:
            _filter(alike, taps, flat, size, w, whole)
            for j in range(alike):
                w[LIT + whole[PENUMBRA_FRAME + 3 * LANES + j]] *= w[PASSED + j]


@inlined
def _find_blockers(count: int, flat: Any, size: int, w: Any, whole: Any) -> None:
    """Fill BLOCKERS with the sum and number of those texels within reach that are between a surface and the light."""
    for j in range(count):
        w[BLOCKERS + j] = w[BLOCKERS + LANES + j] = _ZERO
    for y in range(-_SEARCH, _SEARCH + 1):
        for x in range(-_SEARCH, _SEARCH + 1):
            for j in range(count):
                right, down = w[_REACH + j] * _F(x) / _F(_SEARCH), w[_REACH + j] * _F(y) / _F(_SEARCH)
                left, top = np.floor(w[_U + j] + right), np.floor(w[_V + j] + down)
                columns, rows = _F(whole[SOFT_FRAME + LANES + j]), _F(whole[SOFT_FRAME + 2 * LANES + j])
                inside = (left >= _ZERO) & (top >= _ZERO) & (left < columns) & (top < rows)
                row, column = np.int32(top) if inside else np.int32(0), np.int32(left) if inside else np.int32(0)
                whole[CORNER + j] = (whole[SOFT_FRAME + j] + row) * np.int32(size) + column
                right, down = w[_RIGHT + j] * right, w[_DOWN + j] * down
                w[MAP + j] = w[_NEAR + j] + right + down if inside else _F(np.inf)
                w[MAP + LANES + j], w[MAP + 2 * LANES + j] = right, down
            for j in range(count):
                w[TAPS + j] = flat[np.uint64(whole[CORNER + j])]
            for j in range(count):
                found = w[TAPS + j]
                blocks = found > w[MAP + j]
                w[BLOCKERS + j] += found - w[MAP + LANES + j] - w[MAP + 2 * LANES + j] if blocks else _ZERO
                w[BLOCKERS + LANES + j] += _ONE if blocks else _ZERO


@inlined
def _take(count: int, taps: int, w: Any, whole: Any) -> Any:
    """Copy to PENUMBRA those places of SOFT of which so many taps are averaged; how many these are."""
    alike = 0
    for j in range(count):
        if whole[SOFT_TAPS + j] == taps:
            for row in range(5):
                w[PENUMBRA + row * LANES + alike] = w[SOFT + row * LANES + j]
            w[_STEP + alike] = w[_REACH + j] / _F(max(taps, 1)) if taps > 0 else _ZERO
            for row in range(4):
                whole[PENUMBRA_FRAME + row * LANES + alike] = whole[SOFT_FRAME + row * LANES + j]
            alike += 1
    return alike


@inlined
def _filter(count: int, taps: int, flat: Any, size: int, w: Any, whole: Any) -> None:
    """Fill PASSED with the mean of taps on a square grid within a disc, of so many to each side."""
    weight = _ZERO
    for j in range(count):
        w[PASSED + j] = _ZERO
    for y in range(-taps, taps + 1):
        for x in range(-taps, taps + 1):
            if x * x + y * y <= taps * taps + taps:
                for j in range(count):
                    right, down = w[_STEP + j] * _F(x), w[_STEP + j] * _F(y)
                    u, v = w[PENUMBRA + j] + right - _HALF, w[PENUMBRA + LANES + j] + down - _HALF
                    columns = whole[PENUMBRA_FRAME + LANES + j] - np.int32(2)
                    rows = whole[PENUMBRA_FRAME + 2 * LANES + j] - np.int32(2)
                    left, top = min(max(np.floor(u), _ZERO), _F(columns)), min(max(np.floor(v), _ZERO), _F(rows))
                    # Of degenerate triangles there may be numbers that are none, as in `tap`.
                    row, column = min(max(np.int32(top), 0), rows), min(max(np.int32(left), 0), columns)
                    whole[CORNER + j] = (whole[PENUMBRA_FRAME + j] + row) * np.int32(size) + column
                    w[MAP + j], w[MAP + LANES + j] = u - left, v - top
                    along, down = w[PENUMBRA + 3 * LANES + j] * right, w[PENUMBRA + 4 * LANES + j] * down
                    w[MAP + 2 * LANES + j] = w[PENUMBRA + 2 * LANES + j] + along + down
                weigh_rows(count, flat, size, PASSED + LANES, w, whole)
                for j in range(count):
                    w[PASSED + j] += w[PASSED + LANES + j]
                weight += _ONE
    for j in range(count):
        w[PASSED + j] /= weight
