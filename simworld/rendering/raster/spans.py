"""From triangles to the pixels they cover: blocks of triangles, then rows of pixels, in passes over flat arrays.

An edge function is affine in the pixel, so on each row of pixels it is solved for the column where it becomes positive,
instead of being tested. As neighbours negate each other's edges exactly, that column is the same number for both, and a
pixel on a shared edge belongs to exactly one of them. What differs from triangle to triangle is selected rather than
branched on: triangles are small, and mispredicted branches would be most of the time.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel

_F = np.float32

BLOCK = 64
"""Triangles set up together."""
_SPANS = 256
"""Rows of pixels of such triangles that are filled together."""
_SOLVED = 4
"""Rows of pixels of each triangle that are solved for together."""
_BEYOND = 1e12
"""Pixels to the side of any image."""

# Rows of `edges`: the corners' coordinates (9 rows), which become borders.
LEFT, RIGHT = 0, 6 * BLOCK
"""Slope and offset of three borders each, columns by row: between them is the triangle."""
VALUE = 12 * BLOCK
"""What goes into the z-buffer, which keeps the largest: inverse depth, or metres towards a light far away.

As (x, y, 1) coefficients in pixels (3 rows).
"""
BOUNDS = 15 * BLOCK
"""First column, the one after the last, first row, last row (4 rows)."""
_EDGE_ROWS = 19

# Rows of `places` and of `values`; unsigned, which is never counted from the end.
_NONE = np.uint64(0)
_ROW, _FIRST, _COUNT, _NAME = np.uint64(0), np.uint64(_SPANS), np.uint64(2 * _SPANS), np.uint64(3 * _SPANS)
_VALUE, _STEP = np.uint64(0), np.uint64(_SPANS)
_PLACE_ROWS = 4


class Spans(NamedTuple):
    """Room for blocks: `edges` by triangle; `places` and `values`, that of the first pixel and its step, by row.

    `solved` is for the first rows of each triangle: first pixel, and how many there are; `starts` for that pixel's
    value. In `todo` are triangles, which are within `bounds`; `names` (BLOCK,) are those of the block.
    """

    edges: Annotated[NDArray[np.float64], 1]
    names: Annotated[NDArray[np.int32], 1]
    places: Annotated[NDArray[np.int32], 1]
    values: Annotated[NDArray[np.float32], 1]
    solved: Annotated[NDArray[np.int32], 1]
    starts: Annotated[NDArray[np.float32], 1]
    todo: Annotated[NDArray[np.int32], 1]
    bounds: Annotated[NDArray[np.int32], 1]


def spans(triangles: int) -> Spans:
    """New room for a geometry of so many triangles."""
    return Spans(
        edges=np.zeros(_EDGE_ROWS * BLOCK),
        names=np.zeros(BLOCK, dtype=np.int32),
        places=np.zeros(_PLACE_ROWS * _SPANS, dtype=np.int32),
        values=np.zeros(2 * _SPANS, dtype=np.float32),
        solved=np.zeros(2 * _SOLVED * BLOCK, dtype=np.int32),
        starts=np.zeros(_SOLVED * BLOCK, dtype=np.float32),
        todo=np.zeros(triangles + 1, dtype=np.int32),
        bounds=np.zeros(4 * (triangles + 1), dtype=np.int32),
    )


@kernel
def solid_edges(count: int, pinhole: Any, one_sided: bool, edges: Any) -> None:
    """Turn corners in camera space of `count` triangles into borders and VALUE; BOUNDS of unseen ones become empty.

    A triangle a, b, c covers the pixels whose ray d has d.(b x c), d.(c x a) and d.(a x b) of one sign (Olano and Greer
    1997). Their sum over the volume is the inverse depth; the volume is negative for triangles that run
    counterclockwise as seen from the camera, and only those are seen if they are `one_sided`.
    """
    fx, fy, cx, cy = pinhole
    ix, iy, ox, oy = 1.0 / fx, 1.0 / fy, 0.5 - cx, 0.5 - cy
    for q in range(count):
        ax, ay, az = edges[q], edges[BLOCK + q], edges[2 * BLOCK + q]
        bx, by, bz = edges[3 * BLOCK + q], edges[4 * BLOCK + q], edges[5 * BLOCK + q]
        gx, gy, gz = edges[6 * BLOCK + q], edges[7 * BLOCK + q], edges[8 * BLOCK + q]
        kx, ky, kz = by * gz - bz * gy, bz * gx - bx * gz, bx * gy - by * gx
        lx, ly, lz = gy * az - gz * ay, gz * ax - gx * az, gx * ay - gy * ax
        mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        volume = ax * kx + ay * ky + az * kz
        s = 1.0 if volume > 0.0 else -1.0
        sx, sy = s * ix, s * iy
        a = (kx * sx, ky * sy, s * kz + kx * sx * ox + ky * sy * oy)
        b = (lx * sx, ly * sy, s * lz + lx * sx * ox + ly * sy * oy)
        c = (mx * sx, my * sy, s * mz + mx * sx * ox + my * sy * oy)
        d = 1.0 / abs(volume)
        n = ((a[0] + b[0] + c[0]) * d, (a[1] + b[1] + c[1]) * d, (a[2] + b[2] + c[2]) * d)
        seen = (volume < 0.0) | ((volume > 0.0) & (not one_sided))
        borders(q, a, b, c, n, seen, edges)


@kernel
def flat_edges(count: int, one_sided: Any, edges: Any) -> None:
    """As `solid_edges` for corners given in pixels and VALUE; the area is positive where the volume is negative."""
    for q in range(count):
        ua, va, za = edges[q], edges[BLOCK + q], edges[2 * BLOCK + q]
        ub, vb, zb = edges[3 * BLOCK + q], edges[4 * BLOCK + q], edges[5 * BLOCK + q]
        uc, vc, zc = edges[6 * BLOCK + q], edges[7 * BLOCK + q], edges[8 * BLOCK + q]
        kx, ky, kz = vb - vc, uc - ub, ub * vc - uc * vb
        lx, ly, lz = vc - va, ua - uc, uc * va - ua * vc
        mx, my, mz = va - vb, ub - ua, ua * vb - ub * va
        area = kz + lz + mz
        s = 1.0 if area > 0.0 else -1.0
        a = (s * kx, s * ky, s * (kz + 0.5 * (kx + ky)))
        b = (s * lx, s * ly, s * (lz + 0.5 * (lx + ly)))
        c = (s * mx, s * my, s * (mz + 0.5 * (mx + my)))
        d = 1.0 / abs(area)
        za, zb, zc = za * d, zb * d, zc * d
        n = (a[0] * za + b[0] * zb + c[0] * zc, a[1] * za + b[1] * zb + c[1] * zc, a[2] * za + b[2] * zb + c[2] * zc)
        seen = (area > 0.0) | ((area < 0.0) & (not one_sided))
        borders(q, a, b, c, n, seen, edges)


@inlined
def borders(q: int, a: Any, b: Any, c: Any, n: Any, seen: Any, edges: Any) -> None:
    """Fill lane q from three edge functions, positive inside, and VALUE, each as (x, y, 1) coefficients in pixels.

    An edge is a border on the left or on the right; on the other side, far away, it bounds nothing. Of a triangle that
    goes on behind the camera all three may be on one side.
    """
    ra, rb, rc = -1.0 / a[0], -1.0 / b[0], -1.0 / c[0]
    sa, sb, sc = a[1] * ra, b[1] * rb, c[1] * rc
    ta, tb, tc = a[2] * ra, b[2] * rb, c[2] * rc
    edges[LEFT + q], edges[LEFT + BLOCK + q] = (sa, ta) if a[0] > 0.0 else (0.0, -_BEYOND)
    edges[LEFT + 2 * BLOCK + q], edges[LEFT + 3 * BLOCK + q] = (sb, tb) if b[0] > 0.0 else (0.0, -_BEYOND)
    edges[LEFT + 4 * BLOCK + q], edges[LEFT + 5 * BLOCK + q] = (sc, tc) if c[0] > 0.0 else (0.0, -_BEYOND)
    edges[RIGHT + q], edges[RIGHT + BLOCK + q] = (sa, ta) if a[0] < 0.0 else (0.0, _BEYOND)
    edges[RIGHT + 2 * BLOCK + q], edges[RIGHT + 3 * BLOCK + q] = (sb, tb) if b[0] < 0.0 else (0.0, _BEYOND)
    edges[RIGHT + 4 * BLOCK + q], edges[RIGHT + 5 * BLOCK + q] = (sc, tc) if c[0] < 0.0 else (0.0, _BEYOND)
    edges[VALUE + q], edges[VALUE + BLOCK + q], edges[VALUE + 2 * BLOCK + q] = n
    low, high = edges[BOUNDS + 2 * BLOCK + q], edges[BOUNDS + 3 * BLOCK + q]
    low, high = level(a, low, high)
    low, high = level(b, low, high)
    low, high = level(c, low, high)
    edges[BOUNDS + 2 * BLOCK + q], edges[BOUNDS + 3 * BLOCK + q] = low, high if seen else -1.0


@inlined
def level(edge: Any, low: Any, high: Any) -> Any:
    """The rows from `low` to `high` that are inside an edge, if it runs along them."""
    y = np.ceil(min(max(-edge[2] / edge[1], -_BEYOND), _BEYOND))
    along = edge[0] == 0.0
    low = max(low, y) if along & (edge[1] > 0.0) else low
    high = min(high, y - 1.0) if along & (edge[1] < 0.0) else high
    return low, -1.0 if along & (edge[1] == 0.0) & (edge[2] <= 0.0) else high


@inlined
def fill_block(count: int, room: Any, limit: Any, zbuffer: Any, ids: Any) -> None:
    """Fill the pixels of `count` triangles that are nearer than what is there, and not nearer than `limit`.

    Their VALUE goes into `zbuffer` (h, w) and their name into `ids` (h, w), unless that is empty. Their rows
    are put into `room`, and filled whenever that is full.
    """
    edges, places, values, starts, solved = room.edges, room.places, room.values, room.starts, room.solved
    solve_rows(count, edges, solved, starts)
    n: Any = _NONE
    for q in range(count):
        begin, last, name = int(edges[BOUNDS + 2 * BLOCK + q]), int(edges[BOUNDS + 3 * BLOCK + q]), room.names[q]
        step = _F(edges[VALUE + q])
        for r in range(min(last + 1 - begin, _SOLVED)):
            k = r * BLOCK + q
            n += put_row(n, begin + r, solved[k], solved[_SOLVED * BLOCK + k], name, starts[k], step, places, values)
            n = fill_full(n, places, values, limit, zbuffer, ids)
        for i in range(begin + _SOLVED, last + 1):
            first, some, start = row_of(q, float(i), edges)
            n += put_row(n, i, first, some, name, start, step, places, values)
            n = fill_full(n, places, values, limit, zbuffer, ids)
    fill_spans(n, places, values, limit, zbuffer, ids)


@inlined
def put_row(
    n: Any, row: int, first: Any, count: Any, name: Any, value: Any, step: Any, places: Any, values: Any
) -> Any:
    """Put a row of `count` pixels in place n: 1, or 0 if there are none, and the next one is put there."""
    places[_ROW + n], places[_FIRST + n], places[_COUNT + n], places[_NAME + n] = np.int32(row), first, count, name
    values[_VALUE + n], values[_STEP + n] = value, step
    return np.uint64(count > 0)


@inlined
def fill_full(n: Any, places: Any, values: Any, limit: Any, zbuffer: Any, ids: Any) -> Any:
    """Fill n rows, if that is all there is room for; how many are left."""
    if n < _SPANS:
        return n
    fill_spans(n, places, values, limit, zbuffer, ids)
    return _NONE


@kernel
def solve_rows(count: int, edges: Any, solved: Any, starts: Any) -> None:
    """Solve for the first rows of `count` triangles, with vector units; of those that have fewer, for nothing."""
    most: Any = np.int32(0)
    for q in range(count):
        most = max(most, np.int32(edges[BOUNDS + 3 * BLOCK + q] - edges[BOUNDS + 2 * BLOCK + q]) + np.int32(1))
    for r in range(min(most, _SOLVED)):
        for q in range(count):
            k, y = r * BLOCK + q, edges[BOUNDS + 2 * BLOCK + q] + r
            solved[k], solved[_SOLVED * BLOCK + k], starts[k] = row_of(q, y, edges)


@inlined
def row_of(q: int, y: Any, edges: Any) -> Any:
    """First pixel of a triangle in a row, how many there are, and the first one's value."""
    left, right = edges[BOUNDS + q], edges[BOUNDS + BLOCK + q]
    a, at_a = edges[LEFT + q], edges[LEFT + BLOCK + q]
    b, at_b = edges[LEFT + 2 * BLOCK + q], edges[LEFT + 3 * BLOCK + q]
    c, at_c = edges[LEFT + 4 * BLOCK + q], edges[LEFT + 5 * BLOCK + q]
    d, at_d = edges[RIGHT + q], edges[RIGHT + BLOCK + q]
    e, at_e = edges[RIGHT + 2 * BLOCK + q], edges[RIGHT + 3 * BLOCK + q]
    f, at_f = edges[RIGHT + 4 * BLOCK + q], edges[RIGHT + 5 * BLOCK + q]
    low = np.ceil(max(max(a * y + at_a, b * y + at_b), max(c * y + at_c, left)))
    high = np.ceil(min(min(d * y + at_d, e * y + at_e), min(f * y + at_f, right)))
    value = edges[VALUE + q] * low + edges[VALUE + BLOCK + q] * y + edges[VALUE + 2 * BLOCK + q]
    return np.int32(low), np.int32(high - low) if high > low else np.int32(0), _F(value)


@kernel
def fill_spans(count: int, places: Any, values: Any, limit: Any, zbuffer: Any, ids: Any) -> None:
    """Fill `count` rows of pixels, none of which is empty."""
    for r in range(count):
        i, first = np.uint32(places[_ROW + r]), np.uint32(places[_FIRST + r])
        name, value, step = places[_NAME + r], values[_VALUE + r], values[_STEP + r]
        old = zbuffer[i, first]
        nearer = (value > old) & (value <= limit)
        zbuffer[i, first] = value if nearer else old
        if ids.shape[0] > 0:
            ids[i, first] = name if nearer else ids[i, first]
            for k in range(1, places[_COUNT + r]):
                further = value + step * _F(np.int32(k))
                at = first + np.uint32(k)
                if further > zbuffer[i, at] and further <= limit:
                    zbuffer[i, at] = further
                    ids[i, at] = name
        else:
            for k in range(1, places[_COUNT + r]):
                further = value + step * _F(np.int32(k))
                at = first + np.uint32(k)
                if further <= limit:
                    zbuffer[i, at] = max(zbuffer[i, at], further)
