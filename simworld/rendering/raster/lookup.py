"""The colour of a texture at a point of a surface, and of the background in a direction."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.work import ALBEDO, COARSE, FINE, LANES, MIX, NEXT, OTHER, PLACE, SIDE, START, TEXTURE

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_UNIT = _F(1.0 / 65535.0)


@kernel
def texture_rows(count: int, layers: int, texels: Any, w: Any, bits: Any, whole: Any, fours: Any) -> None:
    """Mix OTHER into ALBEDO by the textures, which have at most `layers` channels.

    Between the two levels whose texels are nearest in size to the pixel, and between texels, it is linear
    (Williams 1983). `bits` is `w` as whole numbers, `fours` (2 LANES,) room for what is looked up.
    """
    last = texels.shape[0] - 1
    for j in range(count):
        side, texel = SIDE + j, TEXTURE + 2 * LANES + j
        w[texel] = min(max(w[texel] * w[side] * w[side], _ONE), _F(1e9))
        # Half of the exponent of a pixel's area in texels is the level; without that, its side is in 1..2.
        level = min((bits[texel] >> 23) - 127 >> 1, (bits[side] >> 23) - 127)
        bits[texel] -= level << 24
        bits[side] -= level << 23
        w[texel] = min(np.sqrt(w[texel]) - _ONE, _ONE)
    for k in range(layers):
        for j in range(count):
            u, v, side = w[TEXTURE + j], w[TEXTURE + LANES + j], w[SIDE + j]
            fine, w[PLACE + j], w[PLACE + LANES + j] = place_in(side, u, v)
            coarse, w[PLACE + 2 * LANES + j], w[PLACE + 3 * LANES + j] = place_in(max(side * _HALF, _ONE), u, v)
            start = whole[START + j] + k * whole[NEXT + j]
            # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
            whole[FINE + j] = min(max(start + np.int32(fine), 0), last)
            whole[COARSE + j] = min(max(start + np.int32(coarse), 0), last)
        for j in range(count):
            fours[j], fours[LANES + j] = texels[np.uint32(whole[FINE + j])], texels[np.uint32(whole[COARSE + j])]
        for j in range(count):
            fine = blended(fours[j], w[PLACE + j], w[PLACE + LANES + j])
            coarse = blended(fours[LANES + j], w[PLACE + 2 * LANES + j], w[PLACE + 3 * LANES + j])
            mix = fine + w[TEXTURE + 2 * LANES + j] * (coarse - fine)
            color, other = w[ALBEDO + k * LANES + j], w[OTHER + k * LANES + j]
            w[ALBEDO + k * LANES + j] = color + mix * (other - color)
            w[MIX + j] = mix
    if layers == 1:
        for j in range(count):
            green, blue, mix = w[ALBEDO + LANES + j], w[ALBEDO + 2 * LANES + j], w[MIX + j]
            w[ALBEDO + LANES + j] = green + mix * (w[OTHER + LANES + j] - green)
            w[ALBEDO + 2 * LANES + j] = blue + mix * (w[OTHER + 2 * LANES + j] - blue)


@inlined
def place_in(side: Any, u: Any, v: Any) -> Any:
    """Where (u, v) lies in the level of `side` texels a side of a pyramid, and how far right and below that texel.

    Levels follow each other from one texel on, so that there are (side ** 2 - 1) / 3 before this one.
    """
    s, t = (u - np.floor(u)) * side - _HALF, (v - np.floor(v)) * side - _HALF
    left, top = np.floor(s), np.floor(t)
    s, t = s - left, t - top
    left, top = left + side if left < _ZERO else left, top + side if top < _ZERO else top
    before = np.floor((side * side - _ONE) * _F(1.0 / 3.0) + _HALF)
    # Rounding may have moved (u, v) to the far end of the square.
    return before + min(top, side - _ONE) * side + min(left, side - _ONE), s, t


@inlined
def blended(four: Any, s: Any, t: Any) -> Any:
    """Bilinear mix, in 0..1, of a texel with its neighbours right, below, and below right: 16 bits each."""
    low = np.uint64(0xFFFF)
    a, b = _F(np.int32(four & low)), _F(np.int32((four >> np.uint64(16)) & low))
    c, d = _F(np.int32((four >> np.uint64(32)) & low)), _F(np.int32(four >> np.uint64(48)))
    upper = a + s * (b - a)
    lower = c + s * (d - c)
    return _UNIT * (upper + t * (lower - upper))


@inlined
def backdrop_at(backdrop: Any, to_world: Any, dx: Any, dy: Any) -> Any:
    """Radiance behind everything along the camera's ray (dx, dy, 1), from an octahedral map (n, n, 3)."""
    side = backdrop.shape[0]
    if side == 1:
        return backdrop[0, 0, 0], backdrop[0, 0, 1], backdrop[0, 0, 2]
    x = to_world[0, 0] * dx + to_world[0, 1] * dy + to_world[0, 2]
    y = to_world[1, 0] * dx + to_world[1, 1] * dy + to_world[1, 2]
    z = to_world[2, 0] * dx + to_world[2, 1] * dy + to_world[2, 2]
    row, column, s, t = between_texels(side, octahedral(x, y, z))
    return (
        mixed(backdrop, row, column, 0, s, t),
        mixed(backdrop, row, column, 1, s, t),
        mixed(backdrop, row, column, 2, s, t),
    )


@inlined
def between_texels(side: int, at: Any) -> Any:
    """Row and column of the upper left of the four texels around `at`, and how far right and below it that is."""
    most = _F(side - 2)
    s, t = at[0] * _F(side) - _HALF, at[1] * _F(side) - _HALF
    left, top = min(max(np.floor(s), _ZERO), most), min(max(np.floor(t), _ZERO), most)
    row, column = np.uint64(max(int(top), 0)), np.uint64(max(int(left), 0))
    return row, column, min(max(s - left, _ZERO), _ONE), min(max(t - top, _ZERO), _ONE)


@inlined
def mixed(texels: Any, i: Any, j: Any, k: int, s: Any, t: Any) -> Any:
    """One channel of `texels` (n, n, 3) between (i, j) and its neighbours right and below."""
    below, right = i + np.uint64(1), j + np.uint64(1)
    upper = texels[i, j, k] + s * (texels[i, right, k] - texels[i, j, k])
    lower = texels[below, j, k] + s * (texels[below, right, k] - texels[below, j, k])
    return upper + t * (lower - upper)


@inlined
def octahedral(x: Any, y: Any, z: Any) -> Any:
    """Where a direction lies in an octahedral map, each in 0..1; up is the middle (Engelhardt and Dachsbacher 2008)."""
    scale = _ONE / (abs(x) + abs(y) + abs(z))
    u, v = x * scale, y * scale
    if z < _ZERO:
        s = _ONE if u >= _ZERO else -_ONE
        t = _ONE if v >= _ZERO else -_ONE
        u, v = (_ONE - abs(v)) * s, (_ONE - abs(u)) * t
    return u * _HALF + _HALF, v * _HALF + _HALF
