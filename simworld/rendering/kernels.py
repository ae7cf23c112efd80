"""The compiled inner loops of the rasterizer.

Visibility first, shading after (Burns and Hunt 2013): each pixel keeps the inverse depth and the triangle that is
nearest, and is shaded once. A triangle a, b, c in camera space covers the pixels whose ray d has d.(b x c), d.(c x a)
and d.(a x b) of one sign (Olano and Greer 1997), so nothing is clipped and nothing breaks at the near plane. These edge
functions are affine in the pixel; each row's span is solved for instead of tested, and as neighbours negate each
other's edges exactly, a pixel on a shared edge belongs to exactly one of them.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_FAR = _F(1e9)

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile a function for this machine, once; threads may run it side by side."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@jit
def place(carriers: Any, carrier: Any, local: Any, view: Any, out: Any) -> None:
    """Matrices `out` (p, 3, 4) from each part's frame to a view.

    Part k is at the pose `local` (p, 7) on the world pose carriers[carrier[k]] (n, 7); `view` (3, 4) takes world points
    to the view.
    """
    for k in range(carrier.shape[0]):
        parent = rotation(carriers[carrier[k]])
        own = rotation(local[k])
        for i in range(3):
            a0 = view[i, 0] * parent[0] + view[i, 1] * parent[3] + view[i, 2] * parent[6]
            a1 = view[i, 0] * parent[1] + view[i, 1] * parent[4] + view[i, 2] * parent[7]
            a2 = view[i, 0] * parent[2] + view[i, 1] * parent[5] + view[i, 2] * parent[8]
            for j in range(3):
                out[k, i, j] = a0 * own[j] + a1 * own[3 + j] + a2 * own[6 + j]
            moved = a0 * local[k, 0] + a1 * local[k, 1] + a2 * local[k, 2] + view[i, 3]
            c = carriers[carrier[k]]
            out[k, i, 3] = moved + view[i, 0] * c[0] + view[i, 1] * c[1] + view[i, 2] * c[2]


@jit
def rotation(pose: Any) -> Any:
    """The nine entries of a pose's rotation matrix, row by row."""
    x, y, z, w = pose[3], pose[4], pose[5], pose[6]
    return (
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    )


@jit
def transform(vertices: Any, starts: Any, matrices: Any, out: Any) -> None:
    """Move the vertices (v, 3) of each part by its matrix (p, 3, 4) into `out` (v, 3); `starts` (p + 1,)."""
    for p in range(matrices.shape[0]):
        m = matrices[p]
        for v in range(starts[p], starts[p + 1]):
            x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
            out[v, 0] = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
            out[v, 1] = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
            out[v, 2] = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]


@jit
def fill(a: Any, b: Any, c: Any, n: Any, bounds: Any, limit: Any, near: Any, ids: Any, t: Any) -> None:
    """Fill the pixels of triangle `t` that are nearer than what is there.

    Edge functions `a`, `b`, `c` and nearness `n` are each (x, y, 1) coefficients in pixels; a larger nearness wins, up
    to `limit`. `bounds` are the first and last column and row to look at.
    """
    j0, j1, i0, i1 = bounds
    for i in range(i0, i1 + 1):
        y = _F(i)
        low, high, inside = _F(j0), _F(j1 + 1), True
        for edge in (a, b, c):
            slope, rest = edge[0], edge[1] * y + edge[2]
            if slope > _ZERO:
                low = max(low, np.ceil(-rest / slope))
            elif slope < _ZERO:
                high = min(high, np.ceil(-rest / slope))
            elif rest < _ZERO or (rest == _ZERO and edge[1] <= _ZERO):
                inside = False
        if not inside or not low < high:
            continue
        start = n[1] * y + n[2]
        near_row, id_row = near[i], ids[i]
        for j in range(int(low), int(high)):
            value = n[0] * _F(j) + start
            if value > near_row[j] and value <= limit:
                near_row[j] = value
                id_row[j] = t


@jit
def bounds_in_view(a: Any, b: Any, c: Any, pinhole: Any, closest: Any, width: int, height: int) -> Any:
    """First and last column and row of the pixels a triangle in camera space may cover; empty where first > last."""
    fx, fy, cx, cy = pinhole
    u0, u1, v0, v1 = _FAR, -_FAR, _FAR, -_FAR
    for p, q in ((a, b), (b, c), (c, a)):
        if p[2] >= closest:
            u, v = fx * p[0] / p[2] + cx, fy * p[1] / p[2] + cy
            u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
        if (p[2] >= closest) != (q[2] >= closest):
            s = (closest - p[2]) / (q[2] - p[2])
            u = fx * (p[0] + s * (q[0] - p[0])) / closest + cx
            v = fy * (p[1] + s * (q[1] - p[1])) / closest + cy
            u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
    return clipped(u0, u1, v0, v1, width, height)


@jit
def clipped(u0: Any, u1: Any, v0: Any, v1: Any, width: int, height: int) -> Any:
    """Columns and rows whose pixel centres are in a rectangle, within the image."""
    w, h = _F(width), _F(height)
    j0 = int(max(_ZERO, np.ceil(min(u0, w) - _HALF)))
    j1 = int(min(w - _ONE, np.floor(max(u1, -_ONE) - _HALF)))
    i0 = int(max(_ZERO, np.ceil(min(v0, h) - _HALF)))
    i1 = int(min(h - _ONE, np.floor(max(v1, -_ONE) - _HALF)))
    return j0, j1, i0, i1


@jit
def draw_perspective(
    points: Any,
    triangles: Any,
    pinhole: Any,
    closest: Any,
    farthest: Any,
    inverse_depth: Any,
    ids: Any,
    edges: Any,
) -> None:
    """Rasterize triangles (t, 3) of camera-space points (v, 3) between two depths in metres.

    Writes the inverse depth (h, w), that of the far plane where there is nothing, the triangle (h, w), -1 there, and
    each drawn triangle's edge functions (t, 3, 3), from which shading takes barycentric weights.
    """
    height, width = inverse_depth.shape
    fx, fy, cx, cy = pinhole
    inverse_depth[:] = _ONE / farthest
    ids[:] = -1
    limit = _ONE / closest
    for t in range(triangles.shape[0]):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ax, ay, az = a[0], a[1], a[2]
        bx, by, bz = b[0], b[1], b[2]
        gx, gy, gz = c[0], c[1], c[2]
        if az < closest and bz < closest and gz < closest:
            continue
        bounds = bounds_in_view((ax, ay, az), (bx, by, bz), (gx, gy, gz), pinhole, closest, width, height)
        if bounds[0] > bounds[1] or bounds[2] > bounds[3]:
            continue
        kx, ky, kz = by * gz - bz * gy, bz * gx - bx * gz, bx * gy - by * gx
        lx, ly, lz = gy * az - gz * ay, gz * ax - gx * az, gx * ay - gy * ax
        mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        volume = ax * kx + ay * ky + az * kz
        if volume == _ZERO:
            continue
        s = _ONE if volume > _ZERO else -_ONE
        sx, sy = s / fx, s / fy
        ox, oy = _HALF - cx, _HALF - cy
        k = (kx * sx, ky * sy, s * kz + kx * sx * ox + ky * sy * oy)
        el = (lx * sx, ly * sy, s * lz + lx * sx * ox + ly * sy * oy)
        m = (mx * sx, my * sy, s * mz + mx * sx * ox + my * sy * oy)
        d = _ONE / abs(volume)
        n = ((k[0] + el[0] + m[0]) * d, (k[1] + el[1] + m[1]) * d, (k[2] + el[2] + m[2]) * d)
        for x in range(3):
            edges[t, 0, x], edges[t, 1, x], edges[t, 2, x] = k[x], el[x], m[x]
        fill(k, el, m, n, bounds, limit, inverse_depth, ids, t)


@jit
def draw_shadow(points: Any, triangles: Any, nearness: Any, ids: Any) -> None:
    """Rasterize the shadow map of a directional light.

    `points` (v, 3) are in texels, with z the nearness to the light; writes the largest nearness (n, n).
    """
    height, width = nearness.shape
    nearness[:] = -_FAR
    for t in range(triangles.shape[0]):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ua, va, ub, vb, uc, vc = a[0], a[1], b[0], b[1], c[0], c[1]
        bounds = clipped(min(ua, ub, uc), max(ua, ub, uc), min(va, vb, vc), max(va, vb, vc), width, height)
        if bounds[0] > bounds[1] or bounds[2] > bounds[3]:
            continue
        k = (vb - vc, uc - ub, ub * vc - uc * vb)
        el = (vc - va, ua - uc, uc * va - ua * vc)
        m = (va - vb, ub - ua, ua * vb - ub * va)
        area = k[2] + el[2] + m[2]
        if area == _ZERO:
            continue
        s = _ONE if area > _ZERO else -_ONE
        k = (s * k[0], s * k[1], s * (k[2] + _HALF * (k[0] + k[1])))
        el = (s * el[0], s * el[1], s * (el[2] + _HALF * (el[0] + el[1])))
        m = (s * m[0], s * m[1], s * (m[2] + _HALF * (m[0] + m[1])))
        d = _ONE / abs(area)
        za, zb, zc = a[2] * d, b[2] * d, c[2] * d
        n = (
            k[0] * za + el[0] * zb + m[0] * zc,
            k[1] * za + el[1] * zb + m[1] * zc,
            k[2] * za + el[2] * zb + m[2] * zc,
        )
        fill(k, el, m, n, bounds, _FAR, nearness, ids, t)
