"""How much of a light reaches each point, by shadow maps (Reeves et al. 1987; Fernando 2005 for soft ones)."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.work import CORNER, LANES, LIT, MAP, NORMAL, POSITION, TAPS

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_SEARCH = 3
_STEEPEST = _F(0.16)
"""Cosine of the slope beyond which a surface is taken for less steep."""
_BLOCKERS = _F(0.8)
"""Metres from a surface up to which what softens a distant light's shadow is looked for."""
_MOST_TAPS = 4
"""Soft shadows look for what is in the way at 7 x 7 places, and average up to 9 x 9."""


@kernel
def shadow_rows(count: int, lights: Any, which: int, shadows: Any, w: Any, whole: Any) -> None:
    """Fill LIT: how strongly a light reaches each lane, after distance, cone and shadows, and the way to it."""
    light, first = lights.table[which], lights.first_map[which]
    kind, px, py, pz = light[0], light[1], light[2], light[3]
    if kind == _ZERO:
        distant_rows(count, px, py, pz, w)
        if first >= 0:
            _parallel_rows(count, lights, which, shadows, light[12], w, whole)
        return
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        lx, ly, lz = px - x, py - y, pz - z
        inverse = _ONE / np.sqrt(max(lx * lx + ly * ly + lz * lz, _F(1e-6)))
        lx, ly, lz = lx * inverse, ly * inverse, lz * inverse
        strength = inverse * inverse
        if kind == _TWO:
            away = arc_cosine(-(lx * light[4] + ly * light[5] + lz * light[6]))
            strength *= min(max((light[10] - away) * light[11], _ZERO), _ONE)
        if first >= 0 and strength > _ZERO and nx * lx + ny * ly + nz * lz > _ZERO:
            strength *= _perspective(lights, which, shadows, light, x, y, z, nx, ny, nz)
        w[LIT + j], w[LIT + LANES + j], w[LIT + 2 * LANES + j], w[LIT + 3 * LANES + j] = strength, lx, ly, lz


@inlined
def distant_rows(count: int, x: Any, y: Any, z: Any, w: Any) -> None:
    """Fill LIT for a light far away in the direction (x, y, z), with nothing in its way."""
    for j in range(count):
        w[LIT + j] = _ONE
        w[LIT + LANES + j], w[LIT + 2 * LANES + j], w[LIT + 3 * LANES + j] = x, y, z


@inlined
def map_rows(count: int, lights: Any, index: int, maps: int, size: int, w: Any, whole: Any) -> None:
    """Fill CORNER and MAP with the places in the first of a distant light's `maps` from `index` on that shows them.

    CORNER is the upper left of the four texels around each, among all texels, of which `size` are in a row; MAP how far
    right and below its centre that is, beyond 0..1 where no map shows it, and metres towards the light.
    """
    place_rows(count, lights, index + maps - 1, False, size, w, whole)
    if maps > 1 and lights.places[index, 1] > 0:
        place_rows(count, lights, index, True, size, w, whole)


@inlined
def place_rows(count: int, lights: Any, index: int, finer: bool, size: int, w: Any, whole: Any) -> None:
    """Fill CORNER and MAP from one map; if it is the `finer`, only where that shows the place."""
    m, texel = lights.to_maps[index], lights.texels[index]
    ux, uy, uz, u0 = m[0, 0], m[0, 1], m[0, 2], m[0, 3] - _HALF
    vx, vy, vz, v0 = m[1, 0], m[1, 1], m[1, 2], m[1, 3] - _HALF
    wx, wy, wz, w0 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    begin, columns, rows = frame_of(lights, index)
    most, lowest = _F(max(columns - 2, 0)), _F(max(rows - 2, 0))
    begin, last = begin * size, max(rows - 2, 0) * size + max(columns - 2, 0)
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        lx, ly, lz = w[LIT + LANES + j], w[LIT + 2 * LANES + j], w[LIT + 3 * LANES + j]
        facing = w[_NX + j] * lx + w[_NY + j] * ly + w[_NZ + j] * lz
        u, v = ux * x + uy * y + uz * z + u0, vx * x + vy * y + vz * z + v0
        near = wx * x + wy * y + wz * z + w0 + texel * slack(facing)
        left, top = min(max(np.floor(u), _ZERO), most), min(max(np.floor(v), _ZERO), lowest)
        s, t = u - left, v - top
        # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
        corner = begin + min(max(np.int32(top) * size + np.int32(left), 0), last)
        kept = finer & ((s < _ZERO) | (s > _ONE) | (t < _ZERO) | (t > _ONE))
        whole[CORNER + j] = whole[CORNER + j] if kept else corner
        w[MAP + j] = w[MAP + j] if kept else s
        w[MAP + LANES + j] = w[MAP + LANES + j] if kept else t
        w[MAP + 2 * LANES + j] = w[MAP + 2 * LANES + j] if kept else near


@inlined
def slack(facing: Any) -> Any:
    """How many texels nearer to the light a surface may be within the taps than where it is asked about.

    `facing` is the cosine of its slope. The farthest tap is the diagonal of a texel away; what throws the shadow is
    drawn within half a texel.
    """
    facing = min(max(facing, _STEEPEST), _ONE)
    return _F(0.6) + _F(1.42) * np.sqrt(_ONE - facing * facing) / facing


@kernel
def _parallel_rows(count: int, lights: Any, which: int, shadows: Any, angle: Any, w: Any, whole: Any) -> None:
    """Dim LIT by the shadow maps of a light from far away."""
    index = lights.first_map[which]
    map_rows(count, lights, index, lights.map_count[which], shadows.shape[1], w, whole)
    if angle <= _ZERO:
        weigh_rows(count, shadows.reshape(-1), shadows.shape[1], w, whole)
        return
    m, reach, frame = lights.to_maps[index], _HALF * angle / lights.texels[index], frame_of(lights, index)
    across, along = _ONE / _squared(m, 0), _ONE / _squared(m, 1)
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        u, v = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3], m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
        near = w[MAP + 2 * LANES + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        facing = max(m[2, 0] * nx + m[2, 1] * ny + m[2, 2] * nz, _STEEPEST)
        gu = -(m[0, 0] * nx + m[0, 1] * ny + m[0, 2] * nz) / facing * across
        gv = -(m[1, 0] * nx + m[1, 1] * ny + m[1, 2] * nz) / facing * along
        blocker = _blocker(shadows, frame, u, v, near, gu, gv, reach * _BLOCKERS)
        if blocker > near:
            w[LIT + j] = _filtered(shadows, frame, u, v, near, gu, gv, (blocker - near) * reach)


@inlined
def frame_of(lights: Any, index: int) -> Any:
    """First row, columns and rows of a map."""
    return lights.places[index, 0], lights.places[index, 1], lights.places[index, 2]


@inlined
def arc_cosine(x: Any) -> Any:
    """The angle in radians whose cosine is x, within 1e-4 (Abramowitz and Stegun 1964, 4.4.45)."""
    a = min(abs(x), _ONE)
    angle = np.sqrt(_ONE - a) * (_F(1.5707288) + a * (_F(-0.2121144) + a * (_F(0.0742610) + a * _F(-0.0187293))))
    return angle if x >= _ZERO else _F(3.1415927) - angle


@inlined
def _perspective(
    lights: Any,
    which: int,
    shadows: Any,
    light: Any,
    x: Any,
    y: Any,
    z: Any,
    nx: Any,
    ny: Any,
    nz: Any,
) -> Any:
    first, count = lights.first_map[which], lights.map_count[which]
    best, depth = first, _ZERO
    for k in range(first, first + count):
        m = lights.to_maps[k]
        d = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
        if d > depth:
            best, depth = k, d
    if depth <= _ZERO:
        return _ONE
    m, frame = lights.to_maps[best], frame_of(lights, best)
    if frame[1] == 0:
        return _ONE
    dx, dy, dz = x - light[1], y - light[2], z - light[3]
    distance = np.sqrt(max(dx * dx + dy * dy + dz * dz, _F(1e-9)))
    facing = -(nx * dx + ny * dy + nz * dz) / distance
    focal = _ONE / lights.texels[best]
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]) / depth
    v = (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]) / depth
    w = _ONE / max(depth - depth / focal * slack(facing), _F(1e-3))
    radius = light[12]
    if radius <= _ZERO:
        return _tap(shadows, frame, u, v, w)
    # In perspective a plane's inverse depth is linear in the image: away from (u, v) it grows by (gu, gv).
    away = m[2, 0] * nx + m[2, 1] * ny + m[2, 2] * nz
    u_axis = m[0, 0] * m[2, 0] + m[0, 1] * m[2, 1] + m[0, 2] * m[2, 2]
    v_axis = m[1, 0] * m[2, 0] + m[1, 1] * m[2, 1] + m[1, 2] * m[2, 2]
    level = -focal * focal * distance * max(facing, _STEEPEST)
    gu = (m[0, 0] * nx + m[0, 1] * ny + m[0, 2] * nz - u_axis * away) / level
    gv = (m[1, 0] * nx + m[1, 1] * ny + m[1, 2] * nz - v_axis * away) / level
    blocker = _blocker(shadows, frame, u, v, w, gu, gv, radius * focal / depth)
    return _filtered(shadows, frame, u, v, w, gu, gv, radius * (blocker - w) * focal) if blocker > w else _ONE


@inlined
def _squared(m: Any, row: int) -> Any:
    """Square of the length of a row of a matrix (3, 4), without its last number."""
    return m[row, 0] * m[row, 0] + m[row, 1] * m[row, 1] + m[row, 2] * m[row, 2]


@inlined
def weigh_rows(count: int, flat: Any, size: int, w: Any, whole: Any) -> None:
    """Fill LIT from the four texels at and around CORNER, weighed by how far right and below it MAP says."""
    for j in range(count):
        k = np.uint64(whole[CORNER + j])
        w[TAPS + j], w[TAPS + LANES + j] = flat[k], flat[k + np.uint64(1)]
        w[TAPS + 2 * LANES + j], w[TAPS + 3 * LANES + j] = flat[k + np.uint64(size)], flat[k + np.uint64(size + 1)]
    for j in range(count):
        a, b, c, d = w[TAPS + j], w[TAPS + LANES + j], w[TAPS + 2 * LANES + j], w[TAPS + 3 * LANES + j]
        w[LIT + j] = _weighed(a, b, c, d, w[MAP + j], w[MAP + LANES + j], w[MAP + 2 * LANES + j])


@inlined
def _weighed(a: Any, b: Any, c: Any, d: Any, s: Any, t: Any, near: Any) -> Any:
    """Compared first, blended after: a bilinear weight of four texels; beyond the map all is lit."""
    inside = (s >= _ZERO) & (s <= _ONE) & (t >= _ZERO) & (t <= _ONE)
    a, b = _ONE if a <= near else _ZERO, _ONE if b <= near else _ZERO
    c, d = _ONE if c <= near else _ZERO, _ONE if d <= near else _ZERO
    upper = a + s * (b - a)
    lower = c + s * (d - c)
    return upper + t * (lower - upper) if inside else _ONE


@inlined
def _tap(shadows: Any, frame: Any, u: Any, v: Any, near: Any) -> Any:
    """How much of the light passes one place (u, v) of a shadow map, whose `frame` is as from `frame_of`."""
    begin, columns, rows = frame
    u, v = u - _HALF, v - _HALF
    left, top = min(max(np.floor(u), _ZERO), _F(columns - 2)), min(max(np.floor(v), _ZERO), _F(rows - 2))
    # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
    i, j = np.uint64(begin + min(max(np.int32(top), 0), rows - 2)), np.uint64(min(max(np.int32(left), 0), columns - 2))
    below, right = i + np.uint64(1), j + np.uint64(1)
    a, b, c, d = shadows[i, j], shadows[i, right], shadows[below, j], shadows[below, right]
    return _weighed(a, b, c, d, u - left, v - top, near)


@kernel
def _blocker(shadows: Any, frame: Any, u: Any, v: Any, near: Any, gu: Any, gv: Any, reach: Any) -> Any:
    """Mean value of those texels within `reach` that are between a surface and the light; very low where none is.

    The surface's own value is `near` at (u, v), and changes by `gu` and `gv` with a texel right and down.
    """
    begin, columns, rows = frame
    total, count = _ZERO, 0
    for y in range(-_SEARCH, _SEARCH + 1):
        for x in range(-_SEARCH, _SEARCH + 1):
            right, down = reach * _F(x) / _F(_SEARCH), reach * _F(y) / _F(_SEARCH)
            left, top = np.floor(u + right), np.floor(v + down)
            if left >= _ZERO and top >= _ZERO and left < _F(columns) and top < _F(rows):
                found = shadows[np.uint64(begin + np.int32(top)), np.uint64(left)]
                if found > near + gu * right + gv * down:
                    total += found - gu * right - gv * down
                    count += 1
    return total / _F(count) if count > 0 else _F(-1e9)


@kernel
def _filtered(shadows: Any, frame: Any, u: Any, v: Any, near: Any, gu: Any, gv: Any, radius: Any) -> Any:
    """Mean of taps on a square grid within a disc of `radius` texels; the rest is as in `_blocker`."""
    taps = int(min(max(np.ceil(radius), _ZERO), _F(_MOST_TAPS)))
    if taps < 1:
        return _tap(shadows, frame, u, v, near)
    total, weight = _ZERO, _ZERO
    step = radius / _F(taps)
    for y in range(-taps, taps + 1):
        for x in range(-taps, taps + 1):
            if x * x + y * y <= taps * taps + taps:
                right, down = step * _F(x), step * _F(y)
                total += _tap(shadows, frame, u + right, v + down, near + gu * right + gv * down)
                weight += _ONE
    return total / weight
