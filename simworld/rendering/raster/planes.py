"""What shading needs of each visible triangle, as functions of the pixel."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)


PLANE = 20
"""Numbers kept of a visible triangle, as (x, y, 1) coefficients in pixels: inverse depth q (3) and normal (9); bounds
of q (2); and q times the place in the texture along its two axes (3, 3)."""


@kernel
def set_up(
    geometry: Any, materials: Any, matrices: Any, points: Any, pinhole: Any, ids: Any, planes: Any, known: Any
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
            plane_of(geometry, t, matrices[p], materials.table[p, 9], points, pinhole, planes[t])


@inlined
def plane_of(geometry: Any, t: Any, m: Any, scale: Any, points: Any, pinhole: Any, plane: Any) -> None:
    """Fill one row of `planes`; `m` (3, 4) turns the part into the camera, `scale` is textures a metre."""
    a, b, c = geometry.triangles[0, t], geometry.triangles[1, t], geometry.triangles[2, t]
    normals, vertices = geometry.normals[t], geometry.vertices
    one, other = (geometry.axes[t] + 1) % 3, (geometry.axes[t] + 2) % 3
    k, el, g, volume = edges_of(points, a, b, c, pinhole)
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
        plane[14 + x] = scale * (wa * vertices[one, a] + wb * vertices[one, b] + wc * vertices[one, c])
        plane[17 + x] = scale * (wa * vertices[other, a] + wb * vertices[other, b] + wc * vertices[other, c])
    plane[12] = 1.0 / max(points[2, a], points[2, b], points[2, c])
    nearest = min(points[2, a], points[2, b], points[2, c])
    plane[13] = 1.0 / nearest if nearest > 1e-6 else 1e6


@inlined
def edges_of(points: Any, a: int, b: int, c: int, pinhole: Any) -> Any:
    """The edge functions of a triangle as (x, y, 1) coefficients in pixels, positive inside, and its signed volume.

    They are those of `simworld.rendering.raster.spans.solid_edges`.
    """
    fx, fy, cx, cy = pinhole
    ax, ay, az = np.float64(points[0, a]), np.float64(points[1, a]), np.float64(points[2, a])
    bx, by, bz = np.float64(points[0, b]), np.float64(points[1, b]), np.float64(points[2, b])
    gx, gy, gz = np.float64(points[0, c]), np.float64(points[1, c]), np.float64(points[2, c])
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
