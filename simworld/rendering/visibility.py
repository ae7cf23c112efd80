"""Which triangle each pixel sees, and how far away it is: for cameras and for shadow maps.

Visibility first, shading after (Burns and Hunt 2013): each pixel keeps the inverse depth and the triangle that is
nearest, and is shaded once. A triangle a, b, c in camera space covers the pixels whose ray d has d.(b x c), d.(c x a)
and d.(a x b) of one sign (Olano and Greer 1997), so nothing is clipped and nothing breaks at the near plane. These edge
functions are affine in the pixel; each row's span is solved for instead of tested. As neighbours negate each other's
edges exactly, the ends of their spans are the same number, and a pixel on a shared edge belongs to exactly one of them.
"""

from typing import Any

import numpy as np

from simworld.rendering.kernels import inlined, kernel

_F = np.float32
_FAR = 1e9
_OUTSIDE = _F(1e6)
"""Pixels from the image beyond which all is alike."""

NO_IDS = np.empty((0, 0), dtype=np.int32)
"""For whoever wants to know how near things are, but not which."""


@kernel
def draw(
    geometry: Any,
    chosen: Any,
    matrices: Any,
    pinhole: Any,
    closest: float,
    points: Any,
    screen: Any,
    nearness: Any,
    ids: Any,
) -> None:
    """Rasterize the `chosen` (p,) parts of a geometry as a pinhole (fx, fy, cx, cy) sees them.

    `matrices` (p, 3, 4) bring the parts to the camera; nothing nearer than `closest` metres is drawn. Writes `points`
    (v, 3) in the camera's frame, `screen` (v, 4), their bounds in pixels, and where a triangle is nearer than what is
    there its inverse depth into `nearness` (h, w) and its index into `ids` (h, w); if `ids` is empty, only the former.
    """
    height, width = nearness.shape
    limit = _F(1.0 / closest)
    for p in range(chosen.shape[0]):
        if not chosen[p]:
            continue
        m = matrices[p]
        seen, depth, radius = sphere_in_view(geometry.spheres[p], m, pinhole, closest, width, height)
        if not seen:
            continue
        whole = depth - radius > closest
        first, last = geometry.vertex_starts[p], geometry.vertex_starts[p + 1]
        transform(geometry.vertices, first, last, m, points)
        if whole:
            project(first, last, pinhole, points, screen)
        one_sided = whole and geometry.closed[p]
        for t in range(geometry.triangle_starts[p], geometry.triangle_starts[p + 1]):
            a, b, c = geometry.triangles[t, 0], geometry.triangles[t, 1], geometry.triangles[t, 2]
            if whole:
                j0, j1, i0, i1 = bounds_on(screen, a, b, c, width, height)
            else:
                j0, j1, i0, i1 = bounds_in_view(points[a], points[b], points[c], pinhole, closest, width, height)
            if j0 > j1 or i0 > i1:
                continue
            k, el, m3, volume = edges_of(points[a], points[b], points[c], pinhole)
            if volume == 0.0 or (one_sided and volume > 0.0):
                continue
            d = 1.0 / abs(volume)
            n = ((k[0] + el[0] + m3[0]) * d, (k[1] + el[1] + m3[1]) * d, (k[2] + el[2] + m3[2]) * d)
            fill(k, el, m3, n, j0, j1, i0, i1, limit, nearness, ids, t)


@kernel
def draw_parallel(geometry: Any, chosen: Any, matrices: Any, points: Any, screen: Any, nearness: Any, ids: Any) -> None:
    """Rasterize the `chosen` (p,) parts as light from far away sees them.

    `matrices` (p, 3, 4) bring the parts to texels and nearness to the light; writes those `points` (v, 3) and the
    largest `nearness` (n, n); `ids` is empty.
    """
    height, width = nearness.shape
    for p in range(chosen.shape[0]):
        if not chosen[p]:
            continue
        m = matrices[p]
        first, last = geometry.vertex_starts[p], geometry.vertex_starts[p + 1]
        transform(geometry.vertices, first, last, m, points)
        for v in range(max(first, 0), last):
            bound(points[v, 0], points[v, 1], v, screen)
        for t in range(geometry.triangle_starts[p], geometry.triangle_starts[p + 1]):
            a, b, c = geometry.triangles[t, 0], geometry.triangles[t, 1], geometry.triangles[t, 2]
            j0, j1, i0, i1 = bounds_on(screen, a, b, c, width, height)
            if j0 > j1 or i0 > i1:
                continue
            k, el, m3, area = flat_edges_of(points[a], points[b], points[c])
            if area == 0.0 or (geometry.closed[p] and area < 0.0):
                continue
            d = 1.0 / abs(area)
            za, zb, zc = points[a, 2] * d, points[b, 2] * d, points[c, 2] * d
            n = (
                k[0] * za + el[0] * zb + m3[0] * zc,
                k[1] * za + el[1] * zb + m3[1] * zc,
                k[2] * za + el[2] * zb + m3[2] * zc,
            )
            fill(k, el, m3, n, j0, j1, i0, i1, _F(_FAR), nearness, ids, t)


@kernel
def drawn_within(geometry: Any, chosen: Any, screen: Any, size: int, within: Any) -> None:
    """Fill `within` (4,): first column, the one after the last, and rows, of what was drawn of the `chosen` (p,) parts.

    `screen` (v, 4) is as `draw_parallel` filled it for an image of `size` pixels a side.
    """
    j0, j1, i0, i1 = size, 0, size, 0
    for p in range(chosen.shape[0]):
        if chosen[p]:
            for v in range(geometry.vertex_starts[p], geometry.vertex_starts[p + 1]):
                j0, j1 = min(j0, screen[v, 0]), max(j1, screen[v, 1] + 1)
                i0, i1 = min(i0, screen[v, 2]), max(i1, screen[v, 3] + 1)
    within[0], within[1] = max(j0, 0), min(j1, size)
    within[2], within[3] = max(i0, 0), min(i1, size)


@inlined
def flat_edges_of(pa: Any, pb: Any, pc: Any) -> Any:
    """The edge functions of a triangle given in pixels, as (x, y, 1) coefficients, positive inside, and its area."""
    ua, va = np.float64(pa[0]), np.float64(pa[1])
    ub, vb = np.float64(pb[0]), np.float64(pb[1])
    uc, vc = np.float64(pc[0]), np.float64(pc[1])
    k = (vb - vc, uc - ub, ub * vc - uc * vb)
    el = (vc - va, ua - uc, uc * va - ua * vc)
    m = (va - vb, ub - ua, ua * vb - ub * va)
    area = k[2] + el[2] + m[2]
    s = 1.0 if area > 0.0 else -1.0
    k = (s * k[0], s * k[1], s * (k[2] + 0.5 * (k[0] + k[1])))
    el = (s * el[0], s * el[1], s * (el[2] + 0.5 * (el[0] + el[1])))
    m = (s * m[0], s * m[1], s * (m[2] + 0.5 * (m[0] + m[1])))
    return k, el, m, area


@inlined
def transform(vertices: Any, first: int, last: int, m: Any, points: Any) -> None:
    """Move vertices by the matrix m (3, 4) into `points` (v, 3)."""
    xx, xy, xz, x0 = m[0, 0], m[0, 1], m[0, 2], m[0, 3]
    yx, yy, yz, y0 = m[1, 0], m[1, 1], m[1, 2], m[1, 3]
    zx, zy, zz, z0 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    for v in range(max(first, 0), last):
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        points[v, 0] = xx * x + xy * y + xz * z + x0
        points[v, 1] = yx * x + yy * y + yz * z + y0
        points[v, 2] = zx * x + zy * y + zz * z + z0


@inlined
def project(first: int, last: int, pinhole: Any, points: Any, screen: Any) -> None:
    """Bound camera-space points by whole pixels in `screen` (v, 4)."""
    fx, fy, cx, cy = _F(pinhole[0]), _F(pinhole[1]), _F(pinhole[2]), _F(pinhole[3])
    for v in range(max(first, 0), last):
        inverse = _F(1.0) / points[v, 2]
        bound(fx * points[v, 0] * inverse + cx, fy * points[v, 1] * inverse + cy, v, screen)


@inlined
def bound(x: Any, y: Any, v: int, screen: Any) -> None:
    """Fill screen[v]: the first column whose pixels' centres may be right of x, the last left of it, and the rows of y.

    By a thousandth of a pixel more: these are rounded, and the edges decide.
    """
    x, y = min(max(x, -_OUTSIDE), _OUTSIDE), min(max(y, -_OUTSIDE), _OUTSIDE)
    screen[v, 0], screen[v, 1] = np.int32(np.ceil(x - _F(0.501))), np.int32(np.floor(x - _F(0.499)))
    screen[v, 2], screen[v, 3] = np.int32(np.ceil(y - _F(0.501))), np.int32(np.floor(y - _F(0.499)))


@inlined
def bounds_on(screen: Any, a: int, b: int, c: int, width: int, height: int) -> Any:
    """First and last column and row of the pixels a triangle may cover; empty where first > last."""
    j0 = max(min(screen[a, 0], screen[b, 0], screen[c, 0]), 0)
    j1 = min(max(screen[a, 1], screen[b, 1], screen[c, 1]), width - 1)
    i0 = max(min(screen[a, 2], screen[b, 2], screen[c, 2]), 0)
    i1 = min(max(screen[a, 3], screen[b, 3], screen[c, 3]), height - 1)
    return j0, j1, i0, i1


@inlined
def sphere_in_view(sphere: Any, m: Any, pinhole: Any, closest: float, width: int, height: int) -> Any:
    """Whether a part's bounding sphere (x, y, z, radius) may be seen, its depth and its radius."""
    fx, fy, cx, cy = pinhole
    x = m[0, 0] * sphere[0] + m[0, 1] * sphere[1] + m[0, 2] * sphere[2] + m[0, 3]
    y = m[1, 0] * sphere[0] + m[1, 1] * sphere[1] + m[1, 2] * sphere[2] + m[1, 3]
    z = m[2, 0] * sphere[0] + m[2, 1] * sphere[1] + m[2, 2] * sphere[2] + m[2, 3]
    r = sphere[3]
    right, low = width - cx, height - cy
    seen = z + r > closest
    seen = seen and fx * x + cx * z > -r * np.sqrt(fx * fx + cx * cx)
    seen = seen and right * z - fx * x > -r * np.sqrt(fx * fx + right * right)
    seen = seen and fy * y + cy * z > -r * np.sqrt(fy * fy + cy * cy)
    seen = seen and low * z - fy * y > -r * np.sqrt(fy * fy + low * low)
    return seen, z, r


@inlined
def edges_of(pa: Any, pb: Any, pc: Any, pinhole: Any) -> Any:
    """The edge functions of a triangle as (x, y, 1) coefficients in pixels, positive inside, and its signed volume.

    The volume is negative for triangles that run counterclockwise as seen from the camera.
    """
    fx, fy, cx, cy = pinhole
    ax, ay, az = np.float64(pa[0]), np.float64(pa[1]), np.float64(pa[2])
    bx, by, bz = np.float64(pb[0]), np.float64(pb[1]), np.float64(pb[2])
    gx, gy, gz = np.float64(pc[0]), np.float64(pc[1]), np.float64(pc[2])
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
def fill(
    a: Any,
    b: Any,
    c: Any,
    n: Any,
    j0: int,
    j1: int,
    i0: int,
    i1: int,
    limit: Any,
    nearness: Any,
    ids: Any,
    t: Any,
) -> None:
    """Fill the pixels of triangle `t` that are nearer than what is there.

    Edge functions `a`, `b`, `c` and nearness `n` are each (x, y, 1) coefficients in pixels; a larger nearness wins, up
    to `limit`. Columns from `j0` to `j1` and rows from `i0` to `i1` are looked at.
    """
    ra = 1.0 / a[0] if a[0] != 0.0 else 0.0
    rb = 1.0 / b[0] if b[0] != 0.0 else 0.0
    rc = 1.0 / c[0] if c[0] != 0.0 else 0.0
    for i in range(i0, i1 + 1):
        y = float(i)
        low, high = narrowed(a, ra, y, float(j0), float(j1 + 1))
        low, high = narrowed(b, rb, y, low, high)
        low, high = narrowed(c, rc, y, low, high)
        if low < high:
            fill_row(_F(n[0] * low + n[1] * y + n[2]), _F(n[0]), i, int(low), int(high), limit, nearness, ids, t)


@inlined
def narrowed(edge: Any, inverse: Any, y: Any, low: Any, high: Any) -> Any:
    """The columns from `low` to before `high` of row y that are inside an edge; `inverse` is one over its slope."""
    rest = edge[1] * y + edge[2]
    if edge[0] > 0.0:
        return max(low, np.ceil(-rest * inverse)), high
    if edge[0] < 0.0:
        return low, min(high, np.ceil(-rest * inverse))
    return low, high if rest > 0.0 or (rest == 0.0 and edge[1] > 0.0) else low


@inlined
def fill_row(start: Any, step: Any, i: int, first: int, end: int, limit: Any, nearness: Any, ids: Any, t: Any) -> None:
    """Fill the columns from `first` to before `end` of row i, whose nearness begins at `start`."""
    first = max(first, 0)
    if ids.shape[0] > 0:
        for k in range(end - first):
            value = start + step * _F(np.int32(k))
            if value > nearness[i, first + k] and value <= limit:
                nearness[i, first + k] = value
                ids[i, first + k] = t
    else:
        for k in range(end - first):
            value = start + step * _F(np.int32(k))
            if value <= limit:
                nearness[i, first + k] = max(nearness[i, first + k], value)


@inlined
def bounds_in_view(a: Any, b: Any, c: Any, pinhole: Any, closest: float, width: int, height: int) -> Any:
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
    # A thousandth of a pixel more: these are rounded, and the edges decide.
    j0 = int(max(0.0, np.ceil(min(u0, _FAR) - 0.501)))
    j1 = int(min(width - 1.0, np.floor(max(u1, -1.0) - 0.499)))
    i0 = int(max(0.0, np.ceil(min(v0, _FAR) - 0.501)))
    i1 = int(min(height - 1.0, np.floor(max(v1, -1.0) - 0.499)))
    return j0, j1, i0, i1
