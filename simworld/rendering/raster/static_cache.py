"""The static cache: light on the fixed parts of a view, of which only shadows are looked up anew in each frame."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.fragments import how_many
from simworld.rendering.raster.illumination import add_ambient, light_rows, orient_normals
from simworld.rendering.raster.lookup import backdrop_at, texture_rows
from simworld.rendering.raster.planes import lens_of
from simworld.rendering.raster.shadows import distant_rows, frame_of, map_rows, weigh_rows
from simworld.rendering.raster.stage import STRETCH
from simworld.rendering.raster.tone import add_codes, encode_rows, store_rows, store_totals
from simworld.rendering.raster.work import (
    CORNER,
    DIRECT,
    KEPT,
    LANES,
    LIT,
    MAP,
    OUT,
    PIXEL,
    SLOT,
    TOTAL,
    WEIGHT,
    WHERE,
)

_F = np.float32
_ZERO, _ONE = _F(0.0), _F(1.0)


@kernel
def cache_block(
    count: int, layers: int, texels: Any, lights: Any, size: int, w: Any, bits: Any, whole: Any, fours: Any, cache: Any
) -> None:
    """As `shade_block`, but cache what shadows of distant lights have no part in; maps have `size` texels a side."""
    orient_normals(count, w)
    if layers > 0:
        texture_rows(count, layers, texels, w, bits, whole, fours)
    add_ambient(count, lights.ambient, w)
    for channel in range(3):
        for j in range(count):
            cache.base[channel, whole[WHERE + j]] = w[OUT + channel * LANES + j]
    for k in range(lights.table.shape[0]):
        distant_rows(count, lights.table[k, 1], lights.table[k, 2], lights.table[k, 3], w)
        light_rows(count, lights.table[k, 7], lights.table[k, 8], lights.table[k, 9], w)
        for channel in range(3):
            for j in range(count):
                cache.direct[k, channel, whole[WHERE + j]] = w[DIRECT + channel * LANES + j]
        if lights.first_map[k] >= 0:
            map_rows(count, lights, lights.first_map[k], lights.map_count[k], size, w, whole)
            for j in range(count):
                at = whole[WHERE + j]
                cache.corner[k, at], cache.right[k, at] = whole[CORNER + j], w[MAP + j]
                cache.below[k, at], cache.near[k, at] = w[MAP + LANES + j], w[MAP + 2 * LANES + j]


@kernel
def fill_picture(cache: Any, lights: Any, shadows: Any, exposure: float, tone: Any, factor: int, scratch: Any) -> None:
    """Fill the picture of all that is cached, under these shadows, and the bounds of what is looked up for it."""
    for k in range(lights.table.shape[0]):
        for m in range(max(lights.first_map[k], 0), lights.first_map[k] + lights.map_count[k]):
            bound_stretches(k, m, cache, lights, shadows.shape[1])
    cache.stale[:] = True
    renew_stale(cache, lights, shadows, exposure, tone, factor, scratch, cache.picture)


@kernel
def bound_stretches(k: int, m: int, cache: Any, lights: Any, size: int) -> None:
    """Fill the bounds of each stretch in map m, of light k; fragments to which that light adds nothing have none."""
    top, columns, rows = frame_of(lights, m)
    direct, bounds = cache.direct, cache.bounds
    for s in range(bounds.shape[2]):
        begin, end = fragments_of(s * STRETCH, in_stretch(s, cache), cache)
        left, right, above, below = columns, -1, rows, -1
        for f in range(begin, end):
            row, column = cache.corner[k, f] // size - top, cache.corner[k, f] % size
            lit = direct[k, 0, f] != _ZERO or direct[k, 1, f] != _ZERO or direct[k, 2, f] != _ZERO
            if lit and row >= 0 and row < rows:
                left, right, above, below = min(left, column), max(right, column), min(above, row), max(below, row)
        bounds[m, 0, s], bounds[m, 1, s], bounds[m, 2, s], bounds[m, 3, s] = left, right, above, below


@kernel
def find_stale(cache: Any, lights: Any, changed: Any, within: Any) -> None:
    """Find the stretches that look up texels that have `changed` (k, n), which only those `within` (m, 4) may have."""
    stale, bounds, flags = cache.stale, cache.bounds, changed.reshape(-1)
    for s in range(stale.shape[0]):
        stale[s] = False
    for m in range(bounds.shape[0]):
        # What is looked up reaches one texel farther right and down.
        left, right, above, below = within[m, 0] - 1, within[m, 1], within[m, 2] - 1, within[m, 3]
        for s in range(stale.shape[0]):
            across = (bounds[m, 0, s] < right) & (bounds[m, 1, s] >= left)
            stale[s] |= across & (bounds[m, 2, s] < below) & (bounds[m, 3, s] >= above)
    for s in range(stale.shape[0]):
        if stale[s]:
            begin, end = fragments_of(s * STRETCH, in_stretch(s, cache), cache)
            found = np.uint8(0)
            for k in range(lights.table.shape[0]):
                if lights.first_map[k] >= 0:
                    for f in range(begin, end):
                        found |= flags[np.uint64(cache.corner[k, np.uint64(f)])]
            stale[s] = found > 0


@kernel
def renew_stale(
    cache: Any, lights: Any, shadows: Any, exposure: float, tone: Any, factor: int, scratch: Any, flat: Any
) -> None:
    """Put what is cached of stale stretches, under these shadows, into a picture `flat` (h * w * 3,)."""
    for s in range(cache.stale.shape[0]):
        if cache.stale[s]:
            first, count = s * STRETCH, in_stretch(s, cache)
            picture_rows(first, count, cache, lights, shadows, exposure, tone, factor, scratch, flat)


@inlined
def in_stretch(s: int, cache: Any) -> Any:
    """How many pixels a stretch has."""
    return min(STRETCH, cache.picture.shape[0] // 3 - s * STRETCH)


@inlined
def fragments_of(first: int, count: int, cache: Any) -> Any:
    """The first of what is cached of `count` pixels from `first` on, and the one after the last."""
    if cache.starts.shape[0] == 0:
        return max(first, 0), max(first, 0) + count
    return max(cache.starts[first], 0), max(cache.starts[first + count], 0)


@inlined
def picture_rows(
    first: int,
    count: int,
    cache: Any,
    lights: Any,
    shadows: Any,
    exposure: float,
    tone: Any,
    factor: int,
    scratch: Any,
    flat: Any,
) -> None:
    """Put what is cached of `count` pixels from `first` on, under these shadows, into a picture `flat` (h * w * 3,)."""
    w, whole = scratch.w, scratch.whole
    for j in range(count):
        whole[WHERE + j] = whole[PIXEL + j] = first + j
    if factor == 1:
        kept_rows(count, first, False, cache, lights, shadows, w, whole)
        encode_rows(count, _F(exposure), tone, w, whole)
        store_rows(count, tone, whole, flat)
        return
    for j in range(count):
        whole[TOTAL + j] = whole[TOTAL + LANES + j] = whole[TOTAL + 2 * LANES + j] = 0
    begin, end = fragments_of(first, count, cache)
    pixel = 0
    for f in range(begin, end, LANES):
        lanes = min(LANES, end - f)
        kept_rows(lanes, f, False, cache, lights, shadows, w, whole)
        encode_rows(lanes, _F(exposure), tone, w, whole)
        for j in range(lanes):
            while cache.starts[first + pixel + 1] <= f + j:
                pixel += 1
            whole[SLOT + j], whole[WEIGHT + j] = pixel, how_many(cache.samples[f + j])
        add_codes(lanes, SLOT, WEIGHT, whole)
    store_totals(count, factor, tone, whole, flat)


@inlined
def kept_rows(
    count: int, first: int, scattered: bool, cache: Any, lights: Any, shadows: Any, w: Any, whole: Any
) -> None:
    """Fill OUT with what is cached of `count` fragments from `first` on, or of KEPT if they are `scattered`."""
    maps, size, first = shadows.reshape(-1), shadows.shape[1], max(first, 0)
    for channel in range(3):
        for j in range(count):
            w[OUT + channel * LANES + j] = cache.base[channel, whole[KEPT + j] if scattered else first + j]
    for k in range(lights.table.shape[0]):
        for j in range(count):
            w[LIT + j] = _ONE
        if lights.first_map[k] >= 0:
            for j in range(count):
                at = whole[KEPT + j] if scattered else first + j
                w[MAP + j], w[MAP + LANES + j] = cache.right[k, at], cache.below[k, at]
                w[MAP + 2 * LANES + j] = cache.near[k, at]
                whole[CORNER + j] = cache.corner[k, at]
            weigh_rows(count, maps, size, w, whole)
        for channel in range(3):
            for j in range(count):
                at = whole[KEPT + j] if scattered else first + j
                w[OUT + channel * LANES + j] += w[LIT + j] * cache.direct[k, channel, at]


@kernel
def cache_background(ids: Any, pinhole: Any, backdrop: Any, to_world: Any, base: Any) -> None:
    """Put the background into `base` (3, h * w) where nothing is seen."""
    fx, fy, cx, cy = lens_of(pinhole)
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] < 0:
                k = i * ids.shape[1] + j
                x, y = (_F(j) - cx) * fx, (_F(i) - cy) * fy
                base[0, k], base[1, k], base[2, k] = backdrop_at(backdrop, to_world, x, y)
