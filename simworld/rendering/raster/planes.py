"""What shading needs of each visible triangle, as functions of the pixel."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.work import LANES, NEW

_F = np.float32
_HALF, _ONE = _F(0.5), _F(1.0)


PLANE = 20
"""Numbers kept of a visible triangle, as (x, y, 1) coefficients in pixels: inverse depth q (3) and normal (9); bounds
of q (2); and q times the place in the texture along its two axes (3, 3)."""


# Rows of `w` of triangles that are set up, before their lanes are anything else; results begin at 0.
_CORNERS = 0
"""In the camera's frame, corner by corner (9 rows)."""
_NORMALS = 9 * LANES
"""In their part's frame, corner by corner (9 rows)."""
_TURN = 18 * LANES
"""From there to the camera's, row by row (9 rows)."""
_TEXTURE = 27 * LANES
"""Places of the corners along the two axes of the texture, in metres or as coordinates (6 rows), and textures in one
of these (1 row)."""


@kernel
def set_up(
    geometry: Any,
    materials: Any,
    matrices: Any,
    points: Any,
    pinhole: Any,
    ids: Any,
    scratch: Any,
    planes: Any,
    known: Any,
) -> None:
    """Fill `planes` (t, PLANE) for the triangles in `ids` (h, w) that are not `known` (t,) yet."""
    last, count, whole = np.int32(-1), 0, scratch.whole
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            t = ids[i, j]
            if t == last or t < 0:
                continue
            last = t
            if known[t]:
                continue
            known[t] = True
            whole[NEW + count] = t
            count += 1
            if count == LANES:
                plane_rows(count, geometry, materials, matrices, points, pinhole, scratch.w, whole, planes)
                count = 0
    plane_rows(count, geometry, materials, matrices, points, pinhole, scratch.w, whole, planes)


@kernel
def plane_rows(
    count: int, geometry: Any, materials: Any, matrices: Any, points: Any, pinhole: Any, w: Any, whole: Any, planes: Any
) -> None:
    """Fill `planes` of the first `count` triangles of NEW; `matrices` (p, 3, 4) turn their parts into the camera."""
    for j in range(count):
        t = np.uint32(whole[NEW + j])
        p = geometry.part_of[t]
        one, other = (geometry.axes[t] + 1) % 3, (geometry.axes[t] + 2) % 3
        for corner in range(3):
            v = geometry.triangles[corner, t]
            for x in range(3):
                at = (3 * corner + x) * LANES + j
                w[_CORNERS + at] = points[x, v]
                w[_NORMALS + at] = geometry.normals[t, corner, x]
                w[_TURN + at] = matrices[p, corner, x]
            w[_TEXTURE + corner * LANES + j] = geometry.vertices[one, v]
            w[_TEXTURE + (3 + corner) * LANES + j] = geometry.vertices[other, v]
        if materials.mapped[p]:
            for corner in range(3):
                w[_TEXTURE + corner * LANES + j] = geometry.coordinates[t, corner, 0]
                w[_TEXTURE + (3 + corner) * LANES + j] = geometry.coordinates[t, corner, 1]
        w[_TEXTURE + 6 * LANES + j] = materials.table[p, 9]
    turn_corners(count, pinhole, w)
    for j in range(count):
        plane = planes[np.uint32(whole[NEW + j])]
        for x in range(PLANE):
            plane[x] = w[x * LANES + j]


@kernel
def turn_corners(count: int, pinhole: Any, w: Any) -> None:
    """Turn what is known of the first `count` triangles into their planes."""
    for j in range(count):
        a, b, c = three(w, _CORNERS + j), three(w, _CORNERS + 3 * LANES + j), three(w, _CORNERS + 6 * LANES + j)
        near, far = min(min(a[2], b[2]), c[2]), max(max(a[2], b[2]), c[2])
        k, el, g, volume = edges_of(a, b, c, pinhole)
        d = 1.0 / abs(volume)
        normals = three(w, _NORMALS + j), three(w, _NORMALS + 3 * LANES + j), three(w, _NORMALS + 6 * LANES + j)
        turn = three(w, _TURN + j), three(w, _TURN + 3 * LANES + j), three(w, _TURN + 6 * LANES + j)
        texture = three(w, _TEXTURE + j), three(w, _TEXTURE + 3 * LANES + j), np.float64(w[_TEXTURE + 6 * LANES + j])
        first = terms_of((k[0] * d, el[0] * d, g[0] * d), normals, turn, texture)
        second = terms_of((k[1] * d, el[1] * d, g[1] * d), normals, turn, texture)
        third = terms_of((k[2] * d, el[2] * d, g[2] * d), normals, turn, texture)
        put_terms(w, j, first)
        put_terms(w, LANES + j, second)
        put_terms(w, 2 * LANES + j, third)
        w[12 * LANES + j] = 1.0 / far
        w[13 * LANES + j] = 1.0 / near if near > 1e-6 else 1e6


@inlined
def three(w: Any, at: int) -> Any:
    """Three rows of a lane."""
    return np.float64(w[at]), np.float64(w[at + LANES]), np.float64(w[at + 2 * LANES])


@inlined
def terms_of(weights: Any, normals: Any, turn: Any, texture: Any) -> Any:
    """One of the three terms of all that is in a plane, from that of the three corners' weights."""
    wa, wb, wc = weights
    a, b, c = normals
    one, other, scale = texture
    nx, ny, nz = wa * a[0] + wb * b[0] + wc * c[0], wa * a[1] + wb * b[1] + wc * c[1], wa * a[2] + wb * b[2] + wc * c[2]
    x = turn[0][0] * nx + turn[0][1] * ny + turn[0][2] * nz
    y = turn[1][0] * nx + turn[1][1] * ny + turn[1][2] * nz
    z = turn[2][0] * nx + turn[2][1] * ny + turn[2][2] * nz
    u = scale * (wa * one[0] + wb * one[1] + wc * one[2])
    v = scale * (wa * other[0] + wb * other[1] + wc * other[2])
    return wa + wb + wc, x, y, z, u if scale > 0.0 else 0.0, v if scale > 0.0 else 0.0


@inlined
def put_terms(w: Any, at: int, terms: Any) -> None:
    """Put one term of a plane where it is among the others."""
    w[at], w[3 * LANES + at], w[6 * LANES + at] = terms[0], terms[1], terms[2]
    w[9 * LANES + at], w[14 * LANES + at], w[17 * LANES + at] = terms[3], terms[4], terms[5]


@inlined
def edges_of(a: Any, b: Any, c: Any, pinhole: Any) -> Any:
    """The edge functions of a triangle as (x, y, 1) coefficients in pixels, positive inside, and its signed volume.

    They are those of `simworld.rendering.raster.spans.solid_edges`.
    """
    fx, fy, cx, cy = pinhole
    ax, ay, az = a
    bx, by, bz = b
    gx, gy, gz = c
    kx, ky, kz = by * gz - bz * gy, bz * gx - bx * gz, bx * gy - by * gx
    lx, ly, lz = gy * az - gz * ay, gz * ax - gx * az, gx * ay - gy * ax
    mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    volume = ax * kx + ay * ky + az * kz
    s = 1.0 if volume > 0.0 else -1.0
    sx, sy = s * (1.0 / fx), s * (1.0 / fy)
    ox, oy = 0.5 - cx, 0.5 - cy
    k = (kx * sx, ky * sy, s * kz + kx * sx * ox + ky * sy * oy)
    el = (lx * sx, ly * sy, s * lz + lx * sx * ox + ly * sy * oy)
    m = (mx * sx, my * sy, s * mz + mx * sx * ox + my * sy * oy)
    return k, el, m, volume


@inlined
def lens_of(pinhole: Any) -> Any:
    """One over the focal lengths of an image, and its principal point in columns and rows of pixels' centres."""
    return _ONE / _F(pinhole[0]), _ONE / _F(pinhole[1]), _F(pinhole[2]) - _HALF, _F(pinhole[3]) - _HALF
