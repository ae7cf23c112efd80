"""From what each pixel sees to its colour: materials, lights, shadows, and the tone curve.

Pixels that see something are gathered into blocks of LANES and shaded together, in passes over one flat array `w` with
a row of numbers for each quantity: with rows at constant distances the compiler proves that they do not overlap,
and uses vector units. Radiance is in units of what a white diffuse surface shows under a light of intensity 1.
"""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.illumination import add_ambient, light_rows, orient_normals
from simworld.rendering.raster.lookup import backdrop_at, texture_rows
from simworld.rendering.raster.planes import plane_of
from simworld.rendering.raster.shadows import shadow_rows
from simworld.rendering.raster.static_cache import cache_background, cache_block
from simworld.rendering.raster.tone import average, store_block, store_sample
from simworld.rendering.raster.work import (
    ALBEDO,
    ALPHA,
    BASE,
    COLUMN,
    DIRECT,
    LANES,
    LIT,
    METALLIC,
    NEXT,
    NORMAL,
    OTHER,
    OUT,
    POSITION,
    ROW,
    SIDE,
    START,
    TEXTURE,
    TRIANGLE,
    WHERE,
)
from simworld.scene.lens import FINER

_F = np.float32
_HALF, _ONE = _F(0.5), _F(1.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_RED, _GREEN, _BLUE = ALBEDO, ALBEDO + LANES, ALBEDO + 2 * LANES

ALL, MOVING, CACHE = 0, 1, 2
"""Modes of `shade`."""


@kernel
def shade(
    geometry: Any,
    materials: Any,
    textures: Any,
    lights: Any,
    shadows: Any,
    matrices: Any,
    points: Any,
    pinhole: Any,
    ids: Any,
    inverse_depth: Any,
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
    least: int,
    cache: Any,
) -> None:
    """Fill `rgb` (h / factor, w / factor, 3) with what `ids` and `inverse_depth` (h, w) say is seen.

    Each pixel is the mean of `factor` x `factor` samples, clipped to 0..1 and then encoded by `tone`. `grid` (h, w, 2)
    is where in the pinhole image each sample looks, empty where that is the sample itself. `backdrop` (n, n, 3) is seen
    behind everything, in the direction that `to_world` (3, 3) turns out of the camera. `total` is zeros like `rgb`, and
    empty for a factor of 1. Triangles before `least` are left out, and in the mode MOVING what is behind everything; in
    the mode CACHE what does not depend on shadows goes into `cache`, and `rgb` is not written.
    """
    height, width = ids.shape
    fx, fy, cx, cy = _ONE / _F(pinhole[0]), _ONE / _F(pinhole[1]), _F(pinhole[2]) - _HALF, _F(pinhole[3]) - _HALF
    gain = _F(exposure)
    w, whole = scratch.w, scratch.whole
    flat = rgb.reshape(-1)
    count = 0
    for i in range(height):
        for j in range(width):
            if ids[i, j] < least:
                continue
            whole[TRIANGLE + count], whole[ROW + count], whole[COLUMN + count] = ids[i, j], np.int32(i), np.int32(j)
            count += 1
            if count == LANES:
                layers = fill_planes(
                    count, geometry, materials, textures, matrices, points, pinhole, planes, known, whole
                )
                interpolate_rows(count, planes, fx, fy, cx, cy, inverse_depth, grid, w, whole)
                material_rows(count, width, geometry.part_of, materials, textures, w, whole)
                shade_or_cache(mode, count, layers, textures.texels, lights, shadows, scratch, cache)
                if mode != CACHE:
                    store_block(count, gain, whole, width, factor, total, tone, w, flat)
                count = 0
    layers = fill_planes(count, geometry, materials, textures, matrices, points, pinhole, planes, known, whole)
    interpolate_rows(count, planes, fx, fy, cx, cy, inverse_depth, grid, w, whole)
    material_rows(count, width, geometry.part_of, materials, textures, w, whole)
    shade_or_cache(mode, count, layers, textures.texels, lights, shadows, scratch, cache)
    if mode == CACHE:
        cache_background(ids, fx, fy, cx, cy, backdrop, to_world, cache.base)
        return
    store_block(count, gain, whole, width, factor, total, tone, w, flat)
    if mode == ALL:
        fill_background(ids, fx, fy, cx, cy, grid, backdrop, to_world, gain, factor, total, tone, rgb)
        average(total, factor, tone, rgb)


@inlined
def shade_or_cache(
    mode: int, count: int, layers: int, texels: Any, lights: Any, shadows: Any, scratch: Any, cache: Any
) -> None:
    """Shade a block of `count` lanes, or cache it."""
    w, bits, whole, fours = scratch.w, scratch.bits, scratch.whole, scratch.fours
    if mode == CACHE:
        cache_block(count, layers, texels, lights, shadows.shape[1], w, bits, whole, fours, cache)
    else:
        shade_block(count, layers, texels, lights, shadows, w, bits, whole, fours)


@kernel
def fill_background(
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
            store_sample(red * gain, green * gain, blue * gain, i, j, factor, total, tone, rgb)


@kernel
def fill_planes(
    count: int,
    geometry: Any,
    materials: Any,
    textures: Any,
    matrices: Any,
    points: Any,
    pinhole: Any,
    planes: Any,
    known: Any,
    whole: Any,
) -> Any:
    """Fill `planes` for those triangles of the first `count` lanes that are not `known` yet; the channels they need."""
    layers = np.int32(0)
    for k in range(count):
        t = np.uint32(whole[TRIANGLE + k])
        p = geometry.part_of[t]
        if not known[t]:
            known[t] = True
            plane_of(geometry, t, matrices[p], materials.table[p, 9], points, pinhole, planes[t])
        layers = max(layers, textures.channels[materials.texture[p]])
    return layers


@kernel
def interpolate_rows(
    count: int, planes: Any, fx: Any, fy: Any, cx: Any, cy: Any, inverse_depth: Any, grid: Any, w: Any, whole: Any
) -> None:
    """Fill position, normal and place in the texture of the first `count` lanes from what their triangle is there."""
    bent = grid.shape[0] > 0
    # Through a lens a pixel is as wide as several of the pinhole image.
    coarser = _F(FINER * FINER) if bent else _ONE
    for k in range(count):
        t, row, column = np.uint32(whole[TRIANGLE + k]), np.uint32(whole[ROW + k]), np.uint32(whole[COLUMN + k])
        x = grid[row, column, 0] if bent else _F(np.int32(column))
        y = grid[row, column, 1] if bent else _F(np.int32(row))
        z = _ONE / inverse_depth[row, column]
        plane = planes[t]
        w[_X + k], w[_Y + k], w[_Z + k] = (x - cx) * fx * z, (y - cy) * fy * z, z
        w[_NX + k] = plane[3] * x + plane[4] * y + plane[5]
        w[_NY + k] = plane[6] * x + plane[7] * y + plane[8]
        w[_NZ + k] = plane[9] * x + plane[10] * y + plane[11]
        qx, qy, ux, uy, vx, vy = plane[0], plane[1], plane[14], plane[15], plane[17], plane[18]
        u, v = (ux * x + uy * y + plane[16]) * z, (vx * x + vy * y + plane[19]) * z
        w[TEXTURE + k], w[TEXTURE + LANES + k] = u, v
        # How far the place in the texture moves with a pixel right (squared), and down.
        right, down = (ux - qx * u) * (ux - qx * u), (uy - qy * u) * (uy - qy * u)
        right, down = right + (vx - qx * v) * (vx - qx * v), down + (vy - qy * v) * (vy - qy * v)
        w[TEXTURE + 2 * LANES + k] = max(right, down) * z * z * coarser


@kernel
def material_rows(count: int, width: int, part_of: Any, materials: Any, textures: Any, w: Any, whole: Any) -> None:
    """Give the first `count` lanes the materials and textures of their parts, and numbers in an image `width` wide."""
    for k in range(count):
        p = part_of[np.uint32(whole[TRIANGLE + k])]
        row, texture = materials.table[p], materials.texture[p]
        w[_RED + k], w[_GREEN + k], w[_BLUE + k] = row[0], row[1], row[2]
        w[OTHER + k], w[OTHER + LANES + k], w[OTHER + 2 * LANES + k] = row[3], row[4], row[5]
        w[ALPHA + k], w[METALLIC + k], w[BASE + k] = row[6], row[7], row[8]
        side = textures.sides[texture]
        w[SIDE + k] = _F(1 << side)
        whole[START + k] = textures.starts[texture]
        whole[NEXT + k] = 0x55555555 & ((4 << (2 * side)) - 1) if textures.channels[texture] > 1 else 0
        whole[WHERE + k] = whole[ROW + k] * width + whole[COLUMN + k]


@kernel
def shade_block(
    count: int, layers: int, texels: Any, lights: Any, shadows: Any, w: Any, bits: Any, whole: Any, fours: Any
) -> None:
    """Shade the first `count` lanes of `w` and `whole`, whose textures have at most so many channels, into OUT."""
    orient_normals(count, w)
    if layers > 0:
        texture_rows(count, layers, texels, w, bits, whole, fours)
    add_ambient(count, lights.ambient, w)
    for k in range(lights.table.shape[0]):
        shadow_rows(count, lights, k, shadows, w, whole)
        light_rows(count, lights.table[k, 7], lights.table[k, 8], lights.table[k, 9], w)
        for channel in range(3):
            for j in range(count):
                w[OUT + channel * LANES + j] += w[LIT + j] * w[DIRECT + channel * LANES + j]
