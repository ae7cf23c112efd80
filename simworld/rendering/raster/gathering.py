"""From what pixels of several samples see to the lanes in which their fragments are shaded."""

from typing import Any

import numpy as np

from simworld.kernels import inlined
from simworld.rendering.raster.fragments import fragment, how_many, looks_at, middle
from simworld.rendering.raster.lookup import backdrop_at
from simworld.rendering.raster.planes import lens_of
from simworld.rendering.raster.tone import step_of
from simworld.rendering.raster.work import (
    AT,
    FROM,
    INVERSE,
    KEPT,
    KEPT_SLOT,
    KEPT_WEIGHT,
    LANES,
    PIXEL,
    SEEN,
    SLOT,
    TOTAL,
    TRIANGLE,
    WEIGHT,
    WHERE,
)

_F = np.float32

ALL, MOVING, CACHE = 0, 1, 2
"""Modes of `simworld.rendering.raster.shading.shade`."""


@inlined
def put_fragments(
    count: int,
    slot: int,
    stage: Any,
    samples: Any,
    row: int,
    column: int,
    factor: int,
    moving: int,
    mode: int,
    cache: Any,
    scratch: Any,
) -> int:
    """Put a pixel's fragments into lanes from `count` on, but those that are kept: how many lanes there are then.

    Its samples `moving` see what moves. Of what does not, fragments are the same wherever that is.
    """
    whole = scratch.whole
    every = (1 << factor * factor) - 1
    for fixed in range(2 if mode == ALL else 1):
        visible = every & ~moving if fixed else moving
        left = 0 if visible == 0 else every if fixed else moving
        ids, inverse_depth = samples.ids, samples.inverse_depth
        if fixed:
            ids, inverse_depth = samples.fixed_ids, samples.fixed_inverse_depth
        found = 0
        while left:
            taken, first = fragment(stage.geometry, ids, inverse_depth, row, column, factor, left)
            left &= ~taken
            i, j = row + first % factor, column + first // factor
            x, y = middle(taken, row, column, factor, samples.grid)
            weight, t = how_many(taken & visible), ids[i, j]
            at = slot
            if mode == CACHE:
                at = cache.starts[whole[PIXEL + slot]] + found
                cache.samples[at] = taken
                found += 1
            if t < 0:
                put_background(at, weight, x, y, stage, mode, cache, whole)
            elif weight > 0:
                from_x, from_y = looks_at(i, j, samples.grid)
                put(count, t, x, y, from_x, from_y, inverse_depth[i, j], scratch)
                whole[WHERE + count], whole[SLOT + count], whole[WEIGHT + count] = at, slot, weight
                count += 1
    return count


@inlined
def put(lane: int, t: Any, x: Any, y: Any, from_x: Any, from_y: Any, inverse_depth: Any, scratch: Any) -> None:
    """Put what is to be shaded at (x, y) into a lane: triangle t, whose inverse depth is known nearby."""
    w = scratch.w
    scratch.whole[TRIANGLE + lane] = t
    w[AT + lane], w[AT + LANES + lane] = x, y
    w[FROM + lane], w[FROM + LANES + lane], w[INVERSE + lane] = from_x, from_y, inverse_depth


@inlined
def put_background(at: int, weight: int, x: Any, y: Any, stage: Any, mode: int, cache: Any, whole: Any) -> None:
    """Add what is behind everything to a pixel, or cache it."""
    fx, fy, cx, cy = lens_of(stage.pinhole)
    red, green, blue = backdrop_at(stage.backdrop, stage.to_world, (x - cx) * fx, (y - cy) * fy)
    if mode == CACHE:
        cache.base[0, at], cache.base[1, at], cache.base[2, at] = red, green, blue
        return
    gain = _F(stage.exposure)
    whole[TOTAL + at] += weight * step_of(red * gain, stage.tone)
    whole[TOTAL + LANES + at] += weight * step_of(green * gain, stage.tone)
    whole[TOTAL + 2 * LANES + at] += weight * step_of(blue * gain, stage.tone)


@inlined
def put_kept(kept: int, slot: int, cache: Any, pixel: int, moving: int, whole: Any) -> int:
    """Put those of a pixel's fragments that are in the cache, and seen, into lanes: how many there are then."""
    for f in range(cache.starts[pixel], cache.starts[pixel + 1]):
        weight = how_many(cache.samples[f] & ~moving)
        if weight > 0:
            whole[KEPT + kept], whole[KEPT_SLOT + kept], whole[KEPT_WEIGHT + kept] = f, slot, weight
            kept += 1
    return kept


@inlined
def look_through(least: int, ids: Any, row: int, begin: int, end: int, factor: int, whole: Any) -> Any:
    """Fill SEEN with which samples of the columns from `begin` to before `end` see a triangle from `least` on; if any.

    Of each column those of a row of pixels, one bit each from `row` on.
    """
    count, found, begin = end - begin, np.int32(0), max(begin, 0)
    for c in range(count):
        whole[SEEN + c] = 0
    for k in range(factor):
        for c in range(count):
            whole[SEEN + c] |= np.int32(ids[row + k, begin + c] >= least) << k
    for c in range(count):
        found |= whole[SEEN + c]
    return found != 0


@inlined
def samples_of(first: int, factor: int, whole: Any) -> int:
    """The samples of a pixel that SEEN names, in columns from `first` on."""
    samples = 0
    for k in range(factor):
        samples |= whole[SEEN + first + k] << (factor * k)
    return samples
