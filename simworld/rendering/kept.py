"""Light on the fixed parts of a view, kept from frame to frame: only shadows are looked up anew."""

from typing import Any

import numpy as np

from simworld.rendering.film import encode_rows, store_rows
from simworld.rendering.illumination import add_ambient, face, light_rows
from simworld.rendering.kernels import inlined, kernel
from simworld.rendering.sampling import backdrop_at, texture_rows
from simworld.rendering.shadows import corner_in, distant_rows, map_rows, weigh_rows
from simworld.rendering.work import (
    CORNER,
    DIRECT,
    LANES,
    LIT,
    MAP,
    OUT,
    WHERE,
)

_F = np.float32
_ONE = _F(1.0)


@kernel
def keep_block(
    count: int, layers: int, texels: Any, lights: Any, size: int, w: Any, bits: Any, whole: Any, fours: Any, kept: Any
) -> None:
    """As `shade_block`, but keep what shadows of distant lights have no part in; maps have `size` texels a side."""
    face(count, w)
    if layers > 0:
        texture_rows(count, layers, texels, w, bits, whole, fours)
    add_ambient(count, lights.ambient, w)
    for channel in range(3):
        for j in range(count):
            kept.base[channel, whole[WHERE + j]] = w[OUT + channel * LANES + j]
    for k in range(lights.table.shape[0]):
        distant_rows(count, lights.table[k, 1], lights.table[k, 2], lights.table[k, 3], w)
        light_rows(count, lights.table[k, 7], lights.table[k, 8], lights.table[k, 9], w)
        for channel in range(3):
            for j in range(count):
                kept.direct[k, channel, whole[WHERE + j]] = w[DIRECT + channel * LANES + j]
        if lights.first_map[k] >= 0:
            map_rows(count, lights, lights.first_map[k], w)
            for j in range(count):
                at = whole[WHERE + j]
                corner, right, below = corner_in(size, w[MAP + j], w[MAP + LANES + j])
                kept.corner[k, at], kept.right[k, at], kept.below[k, at] = corner, right, below
                kept.near[k, at] = w[MAP + 2 * LANES + j]


@kernel
def show_kept(kept: Any, lights: Any, shadows: Any, exposure: float, tone: Any, scratch: Any, rgb: Any) -> None:
    """Fill `rgb` (h, w, 3) with what is kept, under the shadows of now."""
    w, whole, flat, maps = scratch.w, scratch.whole, rgb.reshape(-1), shadows.reshape(-1)
    pixels, size, gain = kept.base.shape[1], shadows.shape[1], _F(exposure)
    for first in range(0, pixels, LANES):
        first = max(first, 0)
        count = min(LANES, pixels - first)
        for channel in range(3):
            for j in range(count):
                w[OUT + channel * LANES + j] = kept.base[channel, first + j]
        for k in range(lights.table.shape[0]):
            add_kept_light(first, count, kept, k, lights.first_map[k], maps, size, w, whole)
        encode_rows(count, gain, tone, w, whole)
        for j in range(count):
            whole[WHERE + j] = first + j
        store_rows(count, tone, whole, flat)


@inlined
def add_kept_light(
    first: int, count: int, kept: Any, k: int, index: int, maps: Any, size: int, w: Any, whole: Any
) -> None:
    """Add light k to OUT of `count` pixels from `first` on; its shadow map is `index`, -1 for none, of all `maps`."""
    first = max(first, 0)
    for j in range(count):
        w[LIT + j] = _ONE
    if index >= 0:
        for j in range(count):
            w[MAP + j], w[MAP + LANES + j] = kept.right[k, first + j], kept.below[k, first + j]
            w[MAP + 2 * LANES + j] = kept.near[k, first + j]
            whole[CORNER + j] = index * size * size + kept.corner[k, first + j]
        weigh_rows(count, maps, size, w, whole)
    for channel in range(3):
        for j in range(count):
            w[OUT + channel * LANES + j] += w[LIT + j] * kept.direct[k, channel, first + j]


@kernel
def keep_behind(ids: Any, fx: Any, fy: Any, cx: Any, cy: Any, backdrop: Any, to_world: Any, base: Any) -> None:
    """Put the background into `base` (3, h * w) where nothing is seen."""
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] < 0:
                k = i * ids.shape[1] + j
                x, y = (_F(j) - cx) * fx, (_F(i) - cy) * fy
                base[0, k], base[1, k], base[2, k] = backdrop_at(backdrop, to_world, x, y)
