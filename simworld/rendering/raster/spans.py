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

# Rows of `places`.
_ROW, _FIRST, _COUNT, _NAME = 0, _SPANS, 2 * _SPANS, 3 * _SPANS
_PLACE_ROWS = 4


class Spans(NamedTuple):
    """Room for blocks: `edges` by triangle; `places` and `values`, that of the first pixel and its step, by row.

    In `todo` are triangles, which are within `bounds`; `names` (BLOCK,) are those of the block.
    """

    edges: Annotated[NDArray[np.float64], 1]
    names: Annotated[NDArray[np.int32], 1]
    places: Annotated[NDArray[np.int32], 1]
    values: Annotated[NDArray[np.float32], 1]
    todo: Annotated[NDArray[np.int32], 1]
    bounds: Annotated[NDArray[np.int32], 1]


def spans(triangles: int) -> Spans:
    """New room for a geometry of so many triangles."""
    return Spans(
        edges=np.zeros(_EDGE_ROWS * BLOCK),
        names=np.zeros(BLOCK, dtype=np.int32),
        places=np.zeros(_PLACE_ROWS * _SPANS, dtype=np.int32),
        values=np.zeros(2 * _SPANS, dtype=np.float32),
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
    edges, places, values = room.edges, room.places, room.values
    n = 0
    for q in range(count):
        left, right = edges[BOUNDS + q], edges[BOUNDS + BLOCK + q]
        begin, last = int(edges[BOUNDS + 2 * BLOCK + q]), int(edges[BOUNDS + 3 * BLOCK + q])
        a, at_a = edges[LEFT + q], edges[LEFT + BLOCK + q]
        b, at_b = edges[LEFT + 2 * BLOCK + q], edges[LEFT + 3 * BLOCK + q]
        c, at_c = edges[LEFT + 4 * BLOCK + q], edges[LEFT + 5 * BLOCK + q]
        d, at_d = edges[RIGHT + q], edges[RIGHT + BLOCK + q]
        e, at_e = edges[RIGHT + 2 * BLOCK + q], edges[RIGHT + 3 * BLOCK + q]
        f, at_f = edges[RIGHT + 4 * BLOCK + q], edges[RIGHT + 5 * BLOCK + q]
        step, down = edges[VALUE + q], edges[VALUE + BLOCK + q]
        rest, name = edges[VALUE + 2 * BLOCK + q], room.names[q]
        for i in range(begin, last + 1):
            y = float(i)
            low = np.ceil(max(max(a * y + at_a, b * y + at_b), max(c * y + at_c, left)))
            high = np.ceil(min(min(d * y + at_d, e * y + at_e), min(f * y + at_f, right)))
            # Written over by the next one if it is empty.
            places[_ROW + n], places[_FIRST + n] = np.int32(i), np.int32(low)
            places[_COUNT + n], places[_NAME + n] = np.int32(high - low), name
            values[n], values[_SPANS + n] = _F(step * low + down * y + rest), _F(step)
            n += int(high > low)
            if n == _SPANS:
                fill_spans(n, places, values, limit, zbuffer, ids)
                n = 0
    fill_spans(n, places, values, limit, zbuffer, ids)


@kernel
def fill_spans(count: int, places: Any, values: Any, limit: Any, zbuffer: Any, ids: Any) -> None:
    """Fill `count` rows of pixels, none of which is empty."""
    for r in range(count):
        i, first = np.uint32(places[_ROW + r]), np.uint32(places[_FIRST + r])
        name, value, step = places[_NAME + r], values[r], values[_SPANS + r]
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
