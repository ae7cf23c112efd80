"""The static cache: light on the fixed parts of a view, of which only shadows are looked up anew in each frame."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.fragments import how_many
from simworld.rendering.raster.illumination import add_ambient, light_rows, orient_normals
from simworld.rendering.raster.lookup import backdrop_at, texture_rows
from simworld.rendering.raster.planes import lens_of
from simworld.rendering.raster.shadows import distant_rows, map_rows, weigh_rows
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
_ONE = _F(1.0)
_STRIDE = 32
"""Pixels that are looked through, and renewed, together."""


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
    """Fill the picture of all that is cached, under these shadows."""
    pixels = cache.picture.shape[0] // 3
    for first in range(0, pixels, _STRIDE):
        count = min(_STRIDE, pixels - first)
        picture_rows(first, count, cache, lights, shadows, exposure, tone, factor, scratch, cache.picture)


@kernel
def renew_changed(
    cache: Any, lights: Any, shadows: Any, changed: Any, exposure: float, tone: Any, factor: int, scratch: Any, rgb: Any
) -> None:
    """Renew the cached picture in `rgb` (h, w, 3) where texels of the shadow maps have `changed` (k, n)."""
    flat, flags, pixels = rgb.reshape(-1), changed.reshape(-1), cache.picture.shape[0] // 3
    for first in range(0, pixels, _STRIDE):
        count = min(_STRIDE, pixels - first)
        begin, end = fragments_of(first, count, cache)
        stale = np.uint8(0)
        for k in range(lights.table.shape[0]):
            if lights.first_map[k] >= 0:
                for f in range(begin, end):
                    stale |= flags[np.uint64(cache.corner[k, f])]
        if stale > 0:
            picture_rows(first, count, cache, lights, shadows, exposure, tone, factor, scratch, flat)


@inlined
def fragments_of(first: int, count: int, cache: Any) -> Any:
    """The first of what is cached of `count` pixels from `first` on, and the one after the last."""
    if cache.starts.shape[0] == 0:
        return max(first, 0), max(first, 0) + count
    return max(cache.starts[first], 0), max(cache.starts[first + count], 0)


@kernel
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
