"""From what each pixel sees to its colour: materials, lights, shadows, and the tone curve.

Pixels that see something are gathered into blocks of LANES and shaded together, in passes over one flat array `w` with
a row of numbers for each quantity: with rows at constant distances the compiler proves that they do not overlap,
and uses vector units. Radiance is in units of what a white diffuse surface shows under a light of intensity 1.
"""

from typing import Any

import numpy as np

from simworld.rendering.film import average, flush, put
from simworld.rendering.illumination import add_ambient, face, light_rows
from simworld.rendering.kept import keep_behind, keep_block
from simworld.rendering.kernels import inlined, kernel
from simworld.rendering.lens import FINER
from simworld.rendering.planes import plane_of
from simworld.rendering.sampling import backdrop_at, texture_rows
from simworld.rendering.shadows import shadow_rows
from simworld.rendering.work import (
    ALBEDO,
    ALPHA,
    BASE,
    DIRECT,
    LANES,
    LIT,
    METALLIC,
    NEXT,
    NORMAL,
    OTHER,
    OUT,
    POSITION,
    SIDE,
    START,
    TEXTURE,
    WHERE,
)

_F = np.float32
_HALF, _ONE = _F(0.5), _F(1.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_RED, _GREEN, _BLUE = ALBEDO, ALBEDO + LANES, ALBEDO + 2 * LANES

ALL, MOVING, KEEP = 0, 1, 2
"""Modes of `shade`."""


@kernel
def shade(
    geometry: Any,
    looks: Any,
    textures: Any,
    lights: Any,
    shadows: Any,
    matrices: Any,
    points: Any,
    pinhole: Any,
    ids: Any,
    nearness: Any,
    grid: Any,
    planes: Any,
    known: Any,
    backdrop: Any,
    to_world: Any,
    exposure: float,
    factor: int,
    tone: Any,
    scratch: Any,
    total: Any,
    rgb: Any,
    mode: int,
    fixed: Any,
    kept: Any,
) -> None:
    """Fill `rgb` (h / factor, w / factor, 3) with what `ids` and `nearness` (h, w) say is seen.

    Each pixel is the mean of `factor` x `factor` samples, clipped to 0..1 and then encoded by `tone`. `grid` (h, w, 2)
    is where in the pinhole image each sample looks, empty where that is the sample itself. `backdrop` (n, n, 3) is seen
    behind everything, in the direction that `to_world` (3, 3) turns out of the camera. `total` is zeros like `rgb`, and
    empty for a factor of 1. In the mode MOVING parts that are `fixed` (p,) and what is behind everything are left out;
    in the mode KEEP what does not depend on shadows goes into `kept`, and `rgb` is not written.
    """
    height, width = ids.shape
    fx, fy, cx, cy = _ONE / _F(pinhole[0]), _ONE / _F(pinhole[1]), _F(pinhole[2]) - _HALF, _F(pinhole[3]) - _HALF
    gain = _F(exposure)
    w, whole = scratch.w, scratch.whole
    part_of, table, texture = geometry.part_of, looks.table, looks.texture
    starts, sides, channels = textures.starts, textures.sides, textures.channels
    flat = rgb.reshape(-1)
    count, layers = 0, 0
    for i in range(height):
        j = 0
        while j < width:
            t, first = ids[i, j], j
            if t < 0 or (mode == MOVING and fixed[part_of[t]]):
                j += 1
                continue
            end = min(width, j + LANES - count)
            while j < end and ids[i, j] == t:
                j += 1
            p = part_of[t]
            if not known[t]:
                known[t] = True
                plane_of(geometry, t, matrices[p], table[p, 9], points, pinhole, planes[t])
            gather(i, first, j, count, planes, t, fx, fy, cx, cy, nearness, grid, w)
            k = texture[p]
            dress(j - first, count, table, p, i * width + first, starts[k], sides[k], channels[k], w, whole)
            layers = max(layers, channels[k])
            count += j - first
            if count == LANES:
                finish(mode, count, layers, textures.texels, lights, shadows, scratch, kept)
                if mode != KEEP:
                    flush(count, gain, whole, width, factor, total, tone, w, flat)
                count, layers = 0, 0
    finish(mode, count, layers, textures.texels, lights, shadows, scratch, kept)
    if mode == KEEP:
        keep_behind(ids, fx, fy, cx, cy, backdrop, to_world, kept.base)
        return
    flush(count, gain, whole, width, factor, total, tone, w, flat)
    if mode == ALL:
        fill_behind(ids, fx, fy, cx, cy, grid, backdrop, to_world, gain, factor, total, tone, rgb)
        average(total, factor, tone, rgb)


@inlined
def finish(mode: int, count: int, layers: int, texels: Any, lights: Any, shadows: Any, scratch: Any, kept: Any) -> None:
    """Shade a block of `count` lanes, or keep it."""
    w, bits, whole, fours = scratch.w, scratch.bits, scratch.whole, scratch.fours
    if mode == KEEP:
        keep_block(count, layers, texels, lights, shadows.shape[1], w, bits, whole, fours, kept)
    else:
        shade_block(count, layers, texels, lights, shadows, w, bits, whole, fours)


@kernel
def fill_behind(
    ids: Any,
    fx: Any,
    fy: Any,
    cx: Any,
    cy: Any,
    grid: Any,
    backdrop: Any,
    to_world: Any,
    gain: Any,
    factor: int,
    total: Any,
    tone: Any,
    rgb: Any,
) -> None:
    """Put the background into the samples that see nothing."""
    bent = grid.shape[0] > 0
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] >= 0:
                continue
            x, y = _F(j), _F(i)
            if bent:
                x, y = grid[i, j, 0], grid[i, j, 1]
            red, green, blue = backdrop_at(backdrop, to_world, (x - cx) * fx, (y - cy) * fy)
            put(red * gain, green * gain, blue * gain, i, j, factor, total, tone, rgb)


@inlined
def gather(
    i: int,
    first: int,
    end: int,
    lane: int,
    planes: Any,
    t: int,
    fx: Any,
    fy: Any,
    cx: Any,
    cy: Any,
    nearness: Any,
    grid: Any,
    w: Any,
) -> None:
    """Begin lanes from `lane` on with the samples `first` to `end` of row i, which all see triangle t."""
    qx, qy = planes[t, 0], planes[t, 1]
    ax, ay, a0 = planes[t, 3], planes[t, 4], planes[t, 5]
    bx, by, b0 = planes[t, 6], planes[t, 7], planes[t, 8]
    gx, gy, g0 = planes[t, 9], planes[t, 10], planes[t, 11]
    ux, uy, u0 = planes[t, 14], planes[t, 15], planes[t, 16]
    vx, vy, v0 = planes[t, 17], planes[t, 18], planes[t, 19]
    bent, below = grid.shape[0] > 0, _F(i)
    # Through a lens a pixel is as wide as several of the pinhole image.
    coarser = _F(FINER * FINER) if bent else _ONE
    # Indices that may be negative would be wrapped around, one by one.
    first, lane = max(first, 0), max(lane, 0)
    for k in range(end - first):
        x = grid[i, first + k, 0] if bent else _F(np.int32(first + k))
        y = grid[i, first + k, 1] if bent else below
        z = _ONE / nearness[i, first + k]
        j = lane + k
        w[_X + j], w[_Y + j], w[_Z + j] = (x - cx) * fx * z, (y - cy) * fy * z, z
        w[_NX + j] = ax * x + ay * y + a0
        w[_NY + j] = bx * x + by * y + b0
        w[_NZ + j] = gx * x + gy * y + g0
        u, v = (ux * x + uy * y + u0) * z, (vx * x + vy * y + v0) * z
        w[TEXTURE + j], w[TEXTURE + LANES + j] = u, v
        # How far the place in the texture moves with a pixel right (squared), and down.
        right, down = (ux - qx * u) * (ux - qx * u), (uy - qy * u) * (uy - qy * u)
        right, down = right + (vx - qx * v) * (vx - qx * v), down + (vy - qy * v) * (vy - qy * v)
        w[TEXTURE + 2 * LANES + j] = max(right, down) * z * z * coarser


@inlined
def dress(
    n: int, lane: int, table: Any, p: int, sample: int, start: Any, side: Any, channels: Any, w: Any, whole: Any
) -> None:
    """Give `n` lanes from `lane` on the material of part p, its texture, and numbers from `sample` on."""
    red, green, blue = table[p, 0], table[p, 1], table[p, 2]
    other_red, other_green, other_blue = table[p, 3], table[p, 4], table[p, 5]
    alpha, metallic, base = table[p, 6], table[p, 7], table[p, 8]
    width = _F(1 << side)
    apart = 0x55555555 & ((4 << (2 * side)) - 1) if channels > 1 else 0
    lane = max(lane, 0)
    for k in range(n):
        j = lane + k
        w[_RED + j], w[_GREEN + j], w[_BLUE + j] = red, green, blue
        w[OTHER + j], w[OTHER + LANES + j], w[OTHER + 2 * LANES + j] = other_red, other_green, other_blue
        w[ALPHA + j], w[METALLIC + j], w[BASE + j], w[SIDE + j] = alpha, metallic, base, width
        whole[WHERE + j], whole[START + j], whole[NEXT + j] = sample + k, start, apart


@kernel
def shade_block(
    count: int, layers: int, texels: Any, lights: Any, shadows: Any, w: Any, bits: Any, whole: Any, fours: Any
) -> None:
    """Shade the first `count` lanes of `w` and `whole`, whose textures have at most so many channels, into OUT."""
    face(count, w)
    if layers > 0:
        texture_rows(count, layers, texels, w, bits, whole, fours)
    add_ambient(count, lights.ambient, w)
    for k in range(lights.table.shape[0]):
        shadow_rows(count, lights, k, shadows, w, whole)
        light_rows(count, lights.table[k, 7], lights.table[k, 8], lights.table[k, 9], w)
        for channel in range(3):
            for j in range(count):
                w[OUT + channel * LANES + j] += w[LIT + j] * w[DIRECT + channel * LANES + j]
