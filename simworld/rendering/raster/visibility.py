"""Which triangle each pixel sees, and how far away it is: for cameras and for shadow maps.

Visibility first, shading after (Burns and Hunt 2013): each pixel keeps the inverse depth and the triangle that is
nearest, and is shaded once. Triangles are drawn by edge functions of camera space (`spans.py`), so that
nothing is clipped and nothing breaks at the near plane.
"""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.spans import BLOCK, BOUNDS, fill_block, solid_edges

_F = np.float32
_FAR = 1e9
"""Pixels, or metres towards the light, beyond anything that is drawn."""
_OUTSIDE = _F(1e6)
"""Pixels from the image beyond which all is alike."""

_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)

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
    room: Any,
    zbuffer: Any,
    ids: Any,
) -> None:
    """Rasterize the `chosen` (p,) parts of a geometry as a pinhole (fx, fy, cx, cy) sees them.

    `matrices` (p, 3, 4) bring the parts to the camera; nothing nearer than `closest` metres is drawn. Writes `points`
    (3, v) in the camera's frame and, of parts that are wholly before it, `screen` (4 v,), their bounds in pixels; and
    where a triangle is nearer than what is there its inverse depth into `zbuffer` (h, w) and its index into `ids`
    (h, w); if `ids` is empty, only the former. `room` is for the triangles on their way.
    """
    height, width = zbuffer.shape
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
        begin, end = geometry.triangle_starts[p], geometry.triangle_starts[p + 1]
        transform(geometry.vertices, first, last, m, points)
        if whole:
            project(first, last, pinhole, points, screen)
            count = on_image(geometry.triangles, begin, end, screen, width, height, room)
        else:
            count = end - begin
            for k in range(count):
                room.todo[k] = begin + k
        for done in range(0, count, BLOCK):
            lanes = min(BLOCK, count - done)
            fetch_vertices(done, lanes, geometry.triangles, points, room)
            if whole:
                bound_rows(done, lanes, room)
            else:
                for q in range(lanes):
                    bound_in_view(q, pinhole, closest, width, height, room.edges)
            solid_edges(lanes, pinhole, whole and geometry.closed[p], room.edges)
            fill_block(lanes, room, limit, zbuffer, ids)


@kernel
def on_image(triangles: Any, begin: int, end: int, screen: Any, width: int, height: int, room: Any) -> int:
    """Put those triangles from `begin` to before `end` that may cover a pixel into `todo`; how many these are.

    Of each, `bounds` has what `screen` has of vertices.
    """
    bounds, todo, count = room.bounds, room.todo, np.uint64(0)
    none, right, low = np.int32(0), np.int32(1 - width), np.int32(1 - height)
    for t in range(max(begin, 0), end):
        a = np.uint64(4) * np.uint64(triangles[0, t])
        b = np.uint64(4) * np.uint64(triangles[1, t])
        c = np.uint64(4) * np.uint64(triangles[2, t])
        k = np.uint64(4) * count
        # Four alike, next to each other, so that they are one number of a vector unit.
        j0 = max(min(min(screen[a], screen[b]), screen[c]), none)
        j1 = max(min(min(screen[a + _1], screen[b + _1]), screen[c + _1]), right)
        i0 = max(min(min(screen[a + _2], screen[b + _2]), screen[c + _2]), none)
        i1 = max(min(min(screen[a + _3], screen[b + _3]), screen[c + _3]), low)
        bounds[k], bounds[k + _1], bounds[k + _2], bounds[k + _3] = j0, j1, i0, i1
        todo[count] = t
        count += np.uint64((j0 + j1 <= 0) & (i0 + i1 <= 0))
    return int(count)


@kernel
def fetch_vertices(done: int, count: int, triangles: Any, points: Any, room: Any) -> None:
    """Fill corners and names of a block with `count` triangles of `todo` from `done` on."""
    edges, done = room.edges, max(done, 0)
    for q in range(count):
        t = np.uint32(room.todo[done + q])
        room.names[q] = t
        a, b, c = triangles[0, t], triangles[1, t], triangles[2, t]
        edges[q], edges[BLOCK + q], edges[2 * BLOCK + q] = points[0, a], points[1, a], points[2, a]
        edges[3 * BLOCK + q], edges[4 * BLOCK + q], edges[5 * BLOCK + q] = points[0, b], points[1, b], points[2, b]
        edges[6 * BLOCK + q], edges[7 * BLOCK + q], edges[8 * BLOCK + q] = points[0, c], points[1, c], points[2, c]


@kernel
def bound_rows(done: int, count: int, room: Any) -> None:
    """Fill BOUNDS of a block of `count` triangles of `todo` from `done` on."""
    edges, bounds, first = room.edges, room.bounds, np.uint64(4 * max(done, 0))
    for q in range(count):
        k = first + np.uint64(4 * q)
        edges[BOUNDS + q], edges[BOUNDS + BLOCK + q] = bounds[k], 1 - bounds[k + _1]
        edges[BOUNDS + 2 * BLOCK + q], edges[BOUNDS + 3 * BLOCK + q] = bounds[k + _2], -bounds[k + _3]


@kernel
def transform(vertices: Any, first: int, last: int, m: Any, points: Any) -> None:
    """Move vertices (3, v) by the matrix m (3, 4) into `points` (3, v)."""
    xx, xy, xz, x0 = m[0, 0], m[0, 1], m[0, 2], m[0, 3]
    yx, yy, yz, y0 = m[1, 0], m[1, 1], m[1, 2], m[1, 3]
    zx, zy, zz, z0 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    for v in range(max(first, 0), last):
        x, y, z = vertices[0, v], vertices[1, v], vertices[2, v]
        points[0, v] = xx * x + xy * y + xz * z + x0
        points[1, v] = yx * x + yy * y + yz * z + y0
        points[2, v] = zx * x + zy * y + zz * z + z0


@kernel
def project(first: int, last: int, pinhole: Any, points: Any, screen: Any) -> None:
    """Bound camera-space points by whole pixels in `screen` (4 v,)."""
    fx, fy, cx, cy = _F(pinhole[0]), _F(pinhole[1]), _F(pinhole[2]), _F(pinhole[3])
    for v in range(max(first, 0), last):
        inverse = _F(1.0) / points[2, v]
        bound(fx * points[0, v] * inverse + cx, fy * points[1, v] * inverse + cy, v, screen)


@inlined
def bound(x: Any, y: Any, v: int, screen: Any) -> None:
    """Fill place v: the first column whose pixels' centres may be right of x, less the last left of it, and rows of y.

    By a thousandth of a pixel more: these are rounded, and the edges decide. What is last is negated so that of
    triangles all four are the least of their vertices.
    """
    x, y = min(max(x, -_OUTSIDE), _OUTSIDE), min(max(y, -_OUTSIDE), _OUTSIDE)
    k = np.uint64(4 * v)
    screen[k], screen[k + _1] = np.int32(np.ceil(x - _F(0.501))), -np.int32(np.floor(x - _F(0.499)))
    screen[k + _2], screen[k + _3] = np.int32(np.ceil(y - _F(0.501))), -np.int32(np.floor(y - _F(0.499)))


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


@kernel
def bound_in_view(q: int, pinhole: Any, closest: float, width: int, height: int, edges: Any) -> None:
    """Fill BOUNDS of a triangle of which a part may be nearer than `closest`, from its corners in camera space."""
    fx, fy, cx, cy = pinhole
    u0, u1, v0, v1 = _FAR, -_FAR, _FAR, -_FAR
    for k in range(3):
        here, there = 3 * k * BLOCK + q, 3 * ((k + 1) % 3) * BLOCK + q
        px, py, pz = edges[here], edges[here + BLOCK], edges[here + 2 * BLOCK]
        qx, qy, qz = edges[there], edges[there + BLOCK], edges[there + 2 * BLOCK]
        if pz >= closest:
            u, v = fx * px / pz + cx, fy * py / pz + cy
            u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
        if (pz >= closest) != (qz >= closest):
            s = (closest - pz) / (qz - pz)
            u = fx * (px + s * (qx - px)) / closest + cx
            v = fy * (py + s * (qy - py)) / closest + cy
            u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
    # A thousandth of a pixel more: these are rounded, and the edges decide.
    edges[BOUNDS + q] = max(0.0, np.ceil(min(u0, _FAR) - 0.501))
    edges[BOUNDS + BLOCK + q] = min(width - 1.0, np.floor(max(u1, -1.0) - 0.499)) + 1.0
    edges[BOUNDS + 2 * BLOCK + q] = max(0.0, np.ceil(min(v0, _FAR) - 0.501))
    edges[BOUNDS + 3 * BLOCK + q] = min(height - 1.0, np.floor(max(v1, -1.0) - 0.499))
