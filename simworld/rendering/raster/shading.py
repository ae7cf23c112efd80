"""From what each pixel sees to its colour: materials, lights, shadows, and the tone curve.

Pixels that see something are gathered into blocks of LANES and shaded together, in passes over one flat array `w` with
a row of numbers for each quantity: with rows at constant distances the compiler proves that they do not overlap,
and uses vector units. Radiance is in units of what a white diffuse surface shows under a light of intensity 1.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.drawlist import Geometry, MaterialTable
from simworld.rendering.raster.fragments import looks_at
from simworld.rendering.raster.gathering import (
    ALL,
    CACHE,
    MOVING,
    look_through,
    put,
    put_fragments,
    put_kept,
    samples_of,
)
from simworld.rendering.raster.illumination import add_ambient, light_rows, orient_normals
from simworld.rendering.raster.lights import Lights
from simworld.rendering.raster.lookup import backdrop_at, texture_rows
from simworld.rendering.raster.planes import PLANE, lens_of, plane_rows
from simworld.rendering.raster.shadows import shadow_rows
from simworld.rendering.raster.static_cache import cache_background, cache_block, kept_rows
from simworld.rendering.raster.tone import add_codes, encode_rows, step_of, store_rows, store_totals
from simworld.rendering.raster.work import (
    ALBEDO,
    ALPHA,
    AT,
    BASE,
    DIRECT,
    FROM,
    INVERSE,
    KEPT_SLOT,
    KEPT_WEIGHT,
    LANES,
    LIT,
    METALLIC,
    NEW,
    NEXT,
    NORMAL,
    OTHER,
    OUT,
    PIXEL,
    PLANES,
    POSITION,
    SEEN,
    SIDE,
    SLOT,
    START,
    TEXTURE,
    TOTAL,
    TRIANGLE,
    WEIGHT,
    WHERE,
)
from simworld.rendering.textures.bank import Textures

Float = NDArray[np.float32]

_F = np.float32
_ONE = _F(1.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_RED, _GREEN, _BLUE = ALBEDO, ALBEDO + LANES, ALBEDO + 2 * LANES

_LOOK = 16
"""Pixels of a row that are looked through together."""


class Stage(NamedTuple):
    """What shading reads, whatever it shades: `pinhole` is fx, fy, cx, cy of the image, `exposure` a factor.

    A pixel of the picture is `coarser` times as wide as those of the pinhole image.

    `backdrop` (n, n, 3) is seen behind everything, in the direction that `to_world` (3, 3) turns out of the camera.
    """

    geometry: Geometry
    materials: MaterialTable
    textures: Textures
    lights: Lights
    shadows: Annotated[Float, 2]
    matrices: Annotated[Float, 3]
    points: Annotated[Float, 2]
    pinhole: tuple[float, float, float, float]
    coarser: int
    backdrop: Annotated[Float, 3]
    to_world: Annotated[Float, 2]
    exposure: float
    tone: Annotated[NDArray[np.uint8], 1]


@inlined
def shade_samples(
    finish: Any,
    stage: Any,
    samples: Any,
    planes: Any,
    known: Any,
    mode: int,
    least: int,
    cache: Any,
    scratch: Any,
    rgb: Any,
) -> None:
    """Fill `rgb` (h, w, 3) with what `samples` (h, w) say is seen, a block at a time, which `finish` does.

    What triangles before `least` show has the fragments of fixed parts: in the mode MOVING they are in `cache`, and
    pixels that see nothing else are left as they are. In the mode CACHE all goes into `cache`, and nothing into `rgb`.
    `planes` and `known` are those of `set_up`.
    """
    ids, grid, whole, width = samples.ids, samples.grid, scratch.whole, samples.ids.shape[1]
    least, count = least if mode == MOVING else 0, 0
    for i in range(ids.shape[0]):
        for begin in range(0, width, _LOOK):
            end = min(begin + _LOOK, width)
            if not look_through(least, ids, i, begin, end, 1, whole):
                continue
            for j in range(begin, end):
                if whole[SEEN + j - begin] == 0:
                    continue
                x, y = looks_at(i, j, grid)
                put(count, ids[i, j], x, y, x, y, samples.inverse_depth[i, j], scratch)
                whole[WHERE + count] = i * width + j
                count += 1
                if count == LANES:
                    finish(count, 0, 0, stage, planes, known, 1, cache, scratch, rgb)
                    count = 0
    finish(count, 0, 0, stage, planes, known, 1, cache, scratch, rgb)
    if mode == CACHE:
        cache_background(ids, stage.pinhole, stage.backdrop, stage.to_world, cache.base)
    elif mode == ALL:
        fill_background(ids, grid, stage, rgb)


@inlined
def shade_fragments(
    finish: Any,
    stage: Any,
    samples: Any,
    planes: Any,
    known: Any,
    factor: int,
    mode: int,
    least: int,
    cache: Any,
    scratch: Any,
    rgb: Any,
) -> None:
    """As `shade_samples` for pixels of `factor` x `factor` of the `samples`.

    Each pixel is their mean, clipped to 0..1 and then encoded; each of its fragments is shaded once.
    """
    ids, whole = samples.ids, scratch.whole
    height, width, each = ids.shape[0] // factor, ids.shape[1] // factor, factor * factor
    count = kept = slots = 0
    for i in range(height):
        for begin in range(0, width, _LOOK):
            end = min(begin + _LOOK, width)
            seen = look_through(least, ids, i * factor, begin * factor, end * factor, factor, whole)
            if mode == MOVING and not seen:
                continue
            for j in range(begin, end):
                pixel, row, column = i * width + j, i * factor, j * factor
                moving = samples_of((j - begin) * factor, factor, whole)
                if mode == MOVING and moving == 0:
                    continue
                if count > LANES - each or kept > LANES - each or slots == LANES:
                    finish(count, kept, slots, stage, planes, known, factor, cache, scratch, rgb)
                    count = kept = slots = 0
                whole[PIXEL + slots] = pixel
                whole[TOTAL + slots] = whole[TOTAL + LANES + slots] = whole[TOTAL + 2 * LANES + slots] = 0
                count = put_fragments(count, slots, stage, samples, row, column, factor, moving, mode, cache, scratch)
                if mode == MOVING:
                    kept = put_kept(kept, slots, cache, pixel, moving, whole)
                slots += 1
    finish(count, kept, slots, stage, planes, known, factor, cache, scratch, rgb)


@kernel
def finish(
    count: int,
    kept: int,
    slots: int,
    stage: Any,
    planes: Any,
    known: Any,
    factor: int,
    cache: Any,
    scratch: Any,
    rgb: Any,
) -> None:
    """Shade a block of `count` lanes, and store the pixels that are made of them, and of `kept` lanes."""
    w, bits, whole, fours, flat = scratch.w, scratch.bits, scratch.whole, scratch.fours, rgb.reshape(-1)
    gain, tone = _F(stage.exposure), stage.tone
    layers = begin_block(count, stage, planes, known, w, whole)
    texels, lights, shadows = stage.textures.texels, stage.lights, stage.shadows
    shade_block(count, layers, texels, lights, shadows, w, bits, whole, fours)
    encode_rows(count, gain, tone, w, whole)
    if factor == 1:
        store_rows(count, tone, whole, flat)
        return
    add_codes(count, SLOT, WEIGHT, whole)
    if kept > 0:
        kept_rows(kept, 0, True, cache, lights, shadows, w, whole)
        encode_rows(kept, gain, tone, w, whole)
        add_codes(kept, KEPT_SLOT, KEPT_WEIGHT, whole)
    store_totals(slots, factor, tone, whole, flat)


@kernel
def finish_cache(
    count: int,
    kept: int,
    slots: int,
    stage: Any,
    planes: Any,
    known: Any,
    factor: int,
    cache: Any,
    scratch: Any,
    rgb: Any,
) -> None:
    """Cache a block of `count` lanes."""
    w, bits, whole, fours = scratch.w, scratch.bits, scratch.whole, scratch.fours
    layers = begin_block(count, stage, planes, known, w, whole)
    columns = stage.shadows.shape[1]
    cache_block(count, layers, stage.textures.texels, stage.lights, columns, w, bits, whole, fours, cache)


@inlined
def begin_block(count: int, stage: Any, planes: Any, known: Any, w: Any, whole: Any) -> Any:
    """Fill in what the first `count` lanes are of; the channels that their textures need."""
    fill_planes(count, stage, planes, known, w, whole)
    interpolate_rows(count, planes, stage.pinhole, stage.coarser, w, whole)
    return material_rows(count, stage.geometry.part_of, stage.materials, stage.textures, w, whole)


@kernel
def fill_background(ids: Any, grid: Any, stage: Any, rgb: Any) -> None:
    """Put the background into the pixels of one sample that see nothing."""
    fx, fy, cx, cy = lens_of(stage.pinhole)
    gain, tone = _F(stage.exposure), stage.tone
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] < 0:
                x, y = looks_at(i, j, grid)
                red, green, blue = backdrop_at(stage.backdrop, stage.to_world, (x - cx) * fx, (y - cy) * fy)
                rgb[i, j, 0], rgb[i, j, 1] = tone[step_of(red * gain, tone)], tone[step_of(green * gain, tone)]
                rgb[i, j, 2] = tone[step_of(blue * gain, tone)]


@kernel
def fill_planes(count: int, stage: Any, planes: Any, known: Any, w: Any, whole: Any) -> None:
    """Fill `planes` for those triangles of the first `count` lanes that are not `known` yet."""
    new = 0
    for k in range(count):
        t = np.uint32(whole[TRIANGLE + k])
        whole[NEW + new] = t
        new += int(not known[t])
        known[t] = True
    looks = stage.geometry, stage.materials, stage.matrices, stage.points, stage.pinhole
    plane_rows(new, *looks, w, whole, planes)


@kernel
def interpolate_rows(count: int, planes: Any, pinhole: Any, coarser: int, w: Any, whole: Any) -> None:
    """Fill position, normal and place in the texture of the first `count` lanes from what their triangle is there.

    A pixel is `coarser` times as wide as those of the pinhole image. Beyond a triangle's nearest and farthest depth
    lanes move to where the triangle is seen.
    """
    fx, fy, cx, cy = lens_of(pinhole)
    area = _F(coarser * coarser)
    for k in range(count):
        plane = planes[np.uint32(whole[TRIANGLE + k])]
        for x in range(PLANE):
            w[PLANES + x * LANES + k] = plane[x]
    for k in range(count):
        x, y, q = w[AT + k], w[AT + LANES + k], w[INVERSE + k]
        from_x, from_y, at = w[FROM + k], w[FROM + LANES + k], PLANES + k
        qx, qy, least, most = w[at], w[at + LANES], w[at + 12 * LANES], w[at + 13 * LANES]
        normal_x = w[at + 3 * LANES], w[at + 4 * LANES], w[at + 5 * LANES]
        normal_y = w[at + 6 * LANES], w[at + 7 * LANES], w[at + 8 * LANES]
        normal_z = w[at + 9 * LANES], w[at + 10 * LANES], w[at + 11 * LANES]
        ux, uy, u = w[at + 14 * LANES], w[at + 15 * LANES], w[at + 16 * LANES]
        vx, vy, v = w[at + 17 * LANES], w[at + 18 * LANES], w[at + 19 * LANES]
        there = q + qx * (x - from_x) + qy * (y - from_y)
        within = (there >= least) & (there <= most)
        x, y, q = x if within else from_x, y if within else from_y, there if within else q
        z = _ONE / q
        w[_X + k], w[_Y + k], w[_Z + k] = (x - cx) * fx * z, (y - cy) * fy * z, z
        w[_NX + k] = normal_x[0] * x + normal_x[1] * y + normal_x[2]
        w[_NY + k] = normal_y[0] * x + normal_y[1] * y + normal_y[2]
        w[_NZ + k] = normal_z[0] * x + normal_z[1] * y + normal_z[2]
        u, v = (ux * x + uy * y + u) * z, (vx * x + vy * y + v) * z
        w[TEXTURE + k], w[TEXTURE + LANES + k] = u, v
        # How far the place in the texture moves with a pixel right (squared), and down.
        right, down = (ux - qx * u) * (ux - qx * u), (uy - qy * u) * (uy - qy * u)
        right, down = right + (vx - qx * v) * (vx - qx * v), down + (vy - qy * v) * (vy - qy * v)
        # Half a level finer than the mean of both: levels are smoother than the mean over a pixel.
        w[TEXTURE + 2 * LANES + k] = _F(0.25) * (right + down) * z * z * area


@kernel
def material_rows(count: int, part_of: Any, materials: Any, textures: Any, w: Any, whole: Any) -> Any:
    """Give the first `count` lanes the materials and textures of their parts; the channels that these have."""
    layers = np.int32(0)
    for k in range(count):
        p = np.uint32(part_of[np.uint32(whole[TRIANGLE + k])])
        row, texture = materials.table[p], np.uint32(materials.texture[p])
        w[_RED + k], w[_GREEN + k], w[_BLUE + k] = row[0], row[1], row[2]
        w[OTHER + k], w[OTHER + LANES + k], w[OTHER + 2 * LANES + k] = row[3], row[4], row[5]
        w[ALPHA + k], w[METALLIC + k], w[BASE + k] = row[6], row[7], row[8]
        side, channels = textures.sides[texture], textures.channels[texture]
        w[SIDE + k] = _F(1 << side)
        whole[START + k] = textures.starts[texture]
        whole[NEXT + k] = 0x55555555 & ((4 << (2 * side)) - 1) if channels > 1 else 0
        layers = max(layers, channels)
    return layers


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
