"""From what each pixel sees to its colour: materials, lights, shadows, and the tone curve.

Pixels that see something are gathered into blocks of LANES and shaded together, in passes over one flat array `w` with
a row of numbers for each quantity: with rows at constant distances the compiler proves that they do not overlap,
and uses vector units. Radiance is in units of what a white diffuse surface shows under a light of intensity 1.
"""

from typing import Any

import numpy as np

from simworld.rendering.kernels import inlined, kernel
from simworld.rendering.sampling import backdrop_at, texture_rows
from simworld.rendering.shadows import corner_in, distant_rows, map_rows, shadow_rows, weigh_rows
from simworld.rendering.visibility import edges_of
from simworld.rendering.work import (
    ALBEDO,
    ALPHA,
    BASE,
    CODE,
    CORNER,
    DIRECT,
    LANES,
    LIT,
    MAP,
    METALLIC,
    NEXT,
    NORMAL,
    OTHER,
    OUT,
    POSITION,
    SIDE,
    START,
    TEXTURE,
    VIEW,
    WHERE,
)

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_VX, _VY, _VZ = VIEW, VIEW + LANES, VIEW + 2 * LANES
_RED, _GREEN, _BLUE = ALBEDO, ALBEDO + LANES, ALBEDO + 2 * LANES
_OUT_RED, _OUT_GREEN, _OUT_BLUE = OUT, OUT + LANES, OUT + 2 * LANES

ALL, MOVING, KEEP = 0, 1, 2
"""Modes of `shade`."""
PLANE = 20
"""Numbers kept of a visible triangle, as (x, y, 1) coefficients in pixels: inverse depth q (3) and normal (9); bounds
of q (2); and q times the place in the texture along its two axes (3, 3)."""


@kernel
def set_up(
    geometry: Any, looks: Any, matrices: Any, points: Any, pinhole: Any, ids: Any, planes: Any, known: Any
) -> None:
    """Fill `planes` (t, PLANE) for the triangles in `ids` (h, w) that are not `known` (t,) yet."""
    last = -1
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            t = ids[i, j]
            if t == last or t < 0:
                continue
            last = t
            if known[t]:
                continue
            known[t] = True
            p = geometry.part_of[t]
            plane_of(geometry, t, matrices[p], looks.table[p, 9], points, pinhole, planes[t])


@kernel
def plane_of(geometry: Any, t: int, m: Any, scale: Any, points: Any, pinhole: Any, plane: Any) -> None:
    """Fill one row of `planes`; `m` (3, 4) turns the part into the camera, `scale` is textures a metre."""
    ia, ib, ic = geometry.triangles[t, 0], geometry.triangles[t, 1], geometry.triangles[t, 2]
    a, b, c = points[ia], points[ib], points[ic]
    normals, vertices = geometry.normals[t], geometry.vertices
    one, other = (geometry.axes[t] + 1) % 3, (geometry.axes[t] + 2) % 3
    k, el, g, volume = edges_of(a, b, c, pinhole)
    d = 1.0 / abs(volume)
    for x in range(3):
        wa, wb, wc = k[x] * d, el[x] * d, g[x] * d
        plane[x] = wa + wb + wc
        nx = wa * normals[0, 0] + wb * normals[1, 0] + wc * normals[2, 0]
        ny = wa * normals[0, 1] + wb * normals[1, 1] + wc * normals[2, 1]
        nz = wa * normals[0, 2] + wb * normals[1, 2] + wc * normals[2, 2]
        for row in range(3):
            plane[3 + 3 * row + x] = m[row, 0] * nx + m[row, 1] * ny + m[row, 2] * nz
        plane[14 + x], plane[17 + x] = _ZERO, _ZERO
        if scale == _ZERO:
            continue
        plane[14 + x] = scale * (wa * vertices[ia, one] + wb * vertices[ib, one] + wc * vertices[ic, one])
        plane[17 + x] = scale * (wa * vertices[ia, other] + wb * vertices[ib, other] + wc * vertices[ic, other])
    plane[12] = 1.0 / max(a[2], b[2], c[2])
    nearest = min(a[2], b[2], c[2])
    plane[13] = 1.0 / nearest if nearest > 1e-6 else 1e6


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
    w, bits, whole, fours = scratch.w, scratch.bits, scratch.whole, scratch.fours
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
                if mode == KEEP:
                    keep_block(count, layers, textures.texels, lights, shadows.shape[1], w, bits, whole, fours, kept)
                else:
                    shade_block(count, layers, textures.texels, lights, shadows, w, bits, whole, fours)
                    flush(count, gain, whole, width, factor, total, tone, w, flat)
                count, layers = 0, 0
    if mode == KEEP:
        keep_block(count, layers, textures.texels, lights, shadows.shape[1], w, bits, whole, fours, kept)
        keep_behind(ids, fx, fy, cx, cy, backdrop, to_world, kept.base)
        return
    shade_block(count, layers, textures.texels, lights, shadows, w, bits, whole, fours)
    flush(count, gain, whole, width, factor, total, tone, w, flat)
    if mode == MOVING:
        return
    fill_behind(ids, fx, fy, cx, cy, grid, backdrop, to_world, gain, factor, total, tone, rgb)
    weight = _ONE / _F(factor * factor)
    for i in range(total.shape[0]):
        for j in range(total.shape[1]):
            for channel in range(3):
                rgb[i, j, channel] = encoded(total[i, j, channel] * weight, tone)


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


@kernel
def keep_behind(ids: Any, fx: Any, fy: Any, cx: Any, cy: Any, backdrop: Any, to_world: Any, base: Any) -> None:
    """Put the background into `base` (3, h * w) where nothing is seen."""
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] < 0:
                k = i * ids.shape[1] + j
                x, y = (_F(j) - cx) * fx, (_F(i) - cy) * fy
                base[0, k], base[1, k], base[2, k] = backdrop_at(backdrop, to_world, x, y)


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
        w[TEXTURE + 2 * LANES + j] = max(right, down) * z * z


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
            index = lights.first_map[k]
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
        encode_rows(count, gain, tone, w, whole)
        for j in range(count):
            p = 3 * (first + j)
            flat[p] = tone[np.uint32(whole[CODE + j])]
            flat[p + 1] = tone[np.uint32(whole[CODE + LANES + j])]
            flat[p + 2] = tone[np.uint32(whole[CODE + 2 * LANES + j])]


@kernel
def face(count: int, w: Any) -> None:
    """Make normals unit and face the camera, as both sides of a surface are lit; and find the way to the camera."""
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        scale = _ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, _F(1e-30)))
        scale = -scale if nx * x + ny * y + nz * z > _ZERO else scale
        w[_NX + j], w[_NY + j], w[_NZ + j] = nx * scale, ny * scale, nz * scale
        eye = -_ONE / np.sqrt(x * x + y * y + z * z)
        w[_VX + j], w[_VY + j], w[_VZ + j] = x * eye, y * eye, z * eye


@kernel
def add_ambient(count: int, ambient: Any, w: Any) -> None:
    """Begin OUT with light that comes evenly from everywhere; rough surfaces mirror less of it (Lagarde 2011)."""
    red, green, blue = ambient[0], ambient[1], ambient[2]
    for j in range(count):
        facing = w[_VX + j] * w[_NX + j] + w[_VY + j] * w[_NY + j] + w[_VZ + j] * w[_NZ + j]
        grazing = _ONE - min(max(facing, _ZERO), _ONE)
        square = grazing * grazing
        fresnel = square * square * grazing
        metallic, base = w[METALLIC + j], w[BASE + j]
        smooth, diffuse = _ONE - np.sqrt(w[ALPHA + j]), _ONE - metallic
        r, g, b = w[_RED + j], w[_GREEN + j], w[_BLUE + j]
        fr, fg, fb = base + metallic * (r - base), base + metallic * (g - base), base + metallic * (b - base)
        gr, gg, gb = _most(smooth, fr), _most(smooth, fg), _most(smooth, fb)
        w[_OUT_RED + j] = red * (r * diffuse + fr + (gr - fr) * fresnel)
        w[_OUT_GREEN + j] = green * (g * diffuse + fg + (gg - fg) * fresnel)
        w[_OUT_BLUE + j] = blue * (b * diffuse + fb + (gb - fb) * fresnel)


@inlined
def _most(smooth: Any, f0: Any) -> Any:
    """Reflectance at grazing angles: 1 for smooth surfaces, except those that hardly reflect at all."""
    return max(smooth * min(_ONE, _F(25.0) * f0), f0)


@kernel
def light_rows(count: int, red: Any, green: Any, blue: Any, w: Any) -> None:
    """Fill DIRECT with what a light of a linear colour adds, from where LIT says it comes, and with all its strength.

    Lambert, and GGX (Walter et al. 2007) with Hammon's (2017) visibility term and Schlick's (1994) Fresnel term.
    """
    for j in range(count):
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        vx, vy, vz = w[_VX + j], w[_VY + j], w[_VZ + j]
        lx, ly, lz = w[LIT + LANES + j], w[LIT + 2 * LANES + j], w[LIT + 3 * LANES + j]
        towards = nx * lx + ny * ly + nz * lz
        strength = max(towards, _ZERO)
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        size = _ONE / np.sqrt(max(hx * hx + hy * hy + hz * hz, _F(1e-12)))
        half = (nx * hx + ny * hy + nz * hz) * size
        cosine = (vx * hx + vy * hy + vz * hz) * size
        facing = max(nx * vx + ny * vy + nz * vz, _F(1e-3))
        towards = max(towards, _F(1e-3))
        alpha, metallic, base = w[ALPHA + j], w[METALLIC + j], w[BASE + j]
        spread = half * half * (alpha * alpha - _ONE) + _ONE
        shape = towards * (facing * (_ONE - alpha) + alpha) + facing * (towards * (_ONE - alpha) + alpha)
        peak = alpha * alpha * _HALF / (spread * spread * shape)
        grazing = _ONE - min(max(cosine, _ZERO), _ONE)
        square = grazing * grazing
        fresnel = square * square * grazing
        diffuse = _ONE - metallic
        r, g, b = w[_RED + j], w[_GREEN + j], w[_BLUE + j]
        fr, fg, fb = base + metallic * (r - base), base + metallic * (g - base), base + metallic * (b - base)
        gr, gg, gb = min(_ONE, _F(25.0) * fr), min(_ONE, _F(25.0) * fg), min(_ONE, _F(25.0) * fb)
        w[DIRECT + j] = red * strength * (r * diffuse + peak * (fr + (gr - fr) * fresnel))
        w[DIRECT + LANES + j] = green * strength * (g * diffuse + peak * (fg + (gg - fg) * fresnel))
        w[DIRECT + 2 * LANES + j] = blue * strength * (b * diffuse + peak * (fb + (gb - fb) * fresnel))


@inlined
def flush(count: int, gain: Any, whole: Any, width: int, factor: int, total: Any, tone: Any, w: Any, flat: Any) -> None:
    """Put the first `count` lanes of OUT into their samples."""
    encode_rows(count, gain, tone, w, whole)
    if factor == 1:
        for j in range(count):
            k, one, two = np.uint64(3 * whole[WHERE + j]), np.uint64(1), np.uint64(2)
            flat[k] = tone[np.uint32(whole[CODE + j])]
            flat[k + one] = tone[np.uint32(whole[CODE + LANES + j])]
            flat[k + two] = tone[np.uint32(whole[CODE + 2 * LANES + j])]
        return
    for j in range(count):
        row, column = whole[WHERE + j] // width // factor, whole[WHERE + j] % width // factor
        for channel in range(3):
            total[row, column, channel] += w[OUT + channel * LANES + j]


@inlined
def encode_rows(count: int, gain: Any, tone: Any, w: Any, whole: Any) -> None:
    """Expose OUT, clip it to 0..1, and fill CODE with its steps of the tone curve."""
    most, last = _F(tone.shape[0] - 1), np.int32(tone.shape[0] - 1)
    for channel in range(3):
        for j in range(count):
            value = min(max(w[OUT + channel * LANES + j] * gain, _ZERO), _ONE)
            w[OUT + channel * LANES + j] = value
            # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
            whole[CODE + channel * LANES + j] = min(max(np.int32(value * most + _HALF), 0), last)


@inlined
def put(red: Any, green: Any, blue: Any, i: int, j: int, factor: int, total: Any, tone: Any, rgb: Any) -> None:
    """Encode a sample into its pixel, or add it to the pixel's total."""
    if factor == 1:
        rgb[i, j, 0], rgb[i, j, 1], rgb[i, j, 2] = encoded(red, tone), encoded(green, tone), encoded(blue, tone)
    else:
        row, column = i // factor, j // factor
        total[row, column, 0] += min(red, _ONE)
        total[row, column, 1] += min(green, _ONE)
        total[row, column, 2] += min(blue, _ONE)


@inlined
def encoded(value: Any, tone: Any) -> Any:
    """The byte of a linear value; what is brighter than white is white."""
    step = np.int32(min(max(value, _ZERO), _ONE) * _F(tone.shape[0] - 1) + _HALF)
    return tone[np.uint32(min(max(step, 0), tone.shape[0] - 1))]
