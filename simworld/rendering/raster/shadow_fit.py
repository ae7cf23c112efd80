"""Shadow maps are fitted to what a camera sees: which part of a light's view each shows, and how finely.

Texels lie on grids that stand still in the world, with sides that are powers of the square root of two: where the
camera moves maps move by whole texels, and shadows do not swim.
"""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel

_SAMPLES = 40
"""Pixels along a side of the image that are looked at, at least."""
_BINS, _LEAST = 10, 1 / 32
"""Ranges of distance, each twice as far as the last, and the nearest."""
_ANYWHERE = _BINS
SEEN_ROWS = _BINS + 1
"""Rows of what a map has to show, by distance; the last is of what may come before the fixed parts."""
_FINEST = 0.7
"""Of a pixel near by: no texel is smaller."""
_COARSE, _WORTH = 2.5, 0.75
"""A finer map is drawn where texels are wider than so many pixels near by, and it makes the widest so much smaller."""
_FEW = 0.1
"""Share of the samples: what is nearer than all but these is near by."""
_CLOSEST = 0.02
"""Metres ahead of a light that is near, from which on its maps show anything."""
_ROOT_TWO = 1.4142135623730951
_WIDE = 1e9


@kernel
def fit_maps(
    lamps: Any,
    inverse_depth: Any,
    nothing: float,
    pinhole: Any,
    pixel: float,
    view: Any,
    closest: float,
    box: Any,
    size: int,
    seen: Any,
    fit: Any,
    views: Any,
    places: Any,
) -> int:
    """Fit all maps to what a camera sees, and give how many rows of `size` texels they have together.

    `inverse_depth` (h, w) of a pinhole (fx, fy, cx, cy) is `nothing` where nothing is seen; `pixel` is the width of a
    pixel of the picture at 1 m, `view` (3, 4) takes world points to the camera. Where `box` (2, 3) is not empty, things
    may also appear there, in front of what is seen, from `closest` metres on. Fills `fit` (m, 3), texels along a metre
    and the place of the axis; `views` (m, 3, 4), which takes world points to texels, and `places`, as in Lights. `seen`
    (SEEN_ROWS, 6) is room.
    """
    stride = max(1, min(inverse_depth.shape[0], inverse_depth.shape[1]) // _SAMPLES)
    top = 0
    for m in range(fit.shape[0]):
        if m == 0 or not lamps.finer[m - 1]:
            find_seen(lamps, m, inverse_depth, nothing, pinhole, view, stride, seen)
            if box.shape[0] > 0:
                find_crossed(lamps, m, inverse_depth, pinhole, view, closest, box, stride, seen)
            widen_seen(seen, pixel * stride, lamps.margins[m], lamps.limits[m])
        last = nearer_part(seen, size, pixel) if lamps.finer[m] else SEEN_ROWS
        place_map(m, seen, last, size, lamps.least[m], pixel, fit, places)
        places[m, 0] = top
        top += places[m, 2]
        for i in range(2):
            shift, scale = fit[m, 1 + i], fit[m, 0]
            for j in range(4):
                views[m, i, j] = scale * lamps.axes[m, i, j]
                views[m, i, j] += shift * lamps.axes[m, 2, j] if lamps.near[m] else 0.0
            views[m, i, 3] += 0.0 if lamps.near[m] else shift
        for j in range(4):
            views[m, 2, j] = lamps.axes[m, 2, j]
    return top


@inlined
def from_camera(axes: Any, i: int, view: Any) -> Any:
    """Row i (4,) of what takes camera points to where `axes` (3, 4) take the world."""
    x = axes[i, 0] * view[0, 0] + axes[i, 1] * view[0, 1] + axes[i, 2] * view[0, 2]
    y = axes[i, 0] * view[1, 0] + axes[i, 1] * view[1, 1] + axes[i, 2] * view[1, 2]
    z = axes[i, 0] * view[2, 0] + axes[i, 1] * view[2, 1] + axes[i, 2] * view[2, 2]
    return x, y, z, axes[i, 3] - x * view[0, 3] - y * view[1, 3] - z * view[2, 3]


@kernel
def find_seen(
    lamps: Any, m: int, inverse_depth: Any, nothing: float, pinhole: Any, view: Any, stride: int, seen: Any
) -> None:
    """Fill `seen` (SEEN_ROWS, 6) by distance: the limits of what is seen of a map, the least distance, and samples.

    Distances are those in which pixels are wide in the map: in metres, or for lights that are near to the eye over that
    to the light.
    """
    for k in range(SEEN_ROWS):
        seen[k, 0], seen[k, 1], seen[k, 2], seen[k, 3] = _WIDE, -_WIDE, _WIDE, -_WIDE
        seen[k, 4], seen[k, 5] = _WIDE, 0.0
    a, b, c = (
        from_camera(lamps.axes[m], 0, view),
        from_camera(lamps.axes[m], 1, view),
        from_camera(lamps.axes[m], 2, view),
    )
    fx, fy, cx, cy = pinhole
    near, (u0, u1, v0, v1) = (
        lamps.near[m],
        (lamps.limits[m, 0], lamps.limits[m, 1], lamps.limits[m, 2], lamps.limits[m, 3]),
    )
    for i in range(0, inverse_depth.shape[0], stride):
        y = (i + 0.5 - cy) / fy
        for j in range(0, inverse_depth.shape[1], stride):
            inverse = inverse_depth[i, j]
            if inverse <= nothing:
                continue
            x, z = (j + 0.5 - cx) / fx, 1.0 / inverse
            u, v = (a[0] * x + a[1] * y + a[2]) * z + a[3], (b[0] * x + b[1] * y + b[2]) * z + b[3]
            far = z
            if near:
                ahead = (c[0] * x + c[1] * y + c[2]) * z + c[3]
                if ahead < _CLOSEST:
                    continue
                u, v, far = u / ahead, v / ahead, z / ahead
            if u >= u0 and u <= u1 and v >= v0 and v <= v1:
                k, reach = 0, 2.0 * _LEAST
                while k < _BINS - 1 and far >= reach:
                    k, reach = k + 1, 2.0 * reach
                include(seen[k], u, v)
                seen[k, 4], seen[k, 5] = min(seen[k, 4], far), seen[k, 5] + 1.0


@inlined
def include(row: Any, u: Any, v: Any) -> None:
    """Widen limits to (u, v)."""
    row[0], row[1] = min(row[0], u), max(row[1], u)
    row[2], row[3] = min(row[2], v), max(row[3], v)


@kernel
def find_crossed(
    lamps: Any,
    m: int,
    inverse_depth: Any,
    pinhole: Any,
    view: Any,
    closest: float,
    box: Any,
    stride: int,
    seen: Any,
) -> None:
    """Widen the last row of `seen` to where the rays to what is seen cross a box (2, 3), from `closest` metres on."""
    a, b, c = (
        from_camera(lamps.axes[m], 0, view),
        from_camera(lamps.axes[m], 1, view),
        from_camera(lamps.axes[m], 2, view),
    )
    fx, fy, cx, cy = pinhole
    for i in range(0, inverse_depth.shape[0], stride):
        y = (i + 0.5 - cy) / fy
        for j in range(0, inverse_depth.shape[1], stride):
            x, begin, end = (j + 0.5 - cx) / fx, closest, 1.0 / inverse_depth[i, j]
            for k in range(3):
                way = view[0, k] * x + view[1, k] * y + view[2, k]
                eye = -(view[0, k] * view[0, 3] + view[1, k] * view[1, 3] + view[2, k] * view[2, 3])
                one, other = (box[0, k] - eye) / way, (box[1, k] - eye) / way
                # A ray along the faces divides by 0: what is not a number bounds nothing.
                begin, end = max(begin, min(one, other)), min(end, max(one, other))
            if not begin <= end:
                continue
            for z in (begin, end):
                u, v = (a[0] * x + a[1] * y + a[2]) * z + a[3], (b[0] * x + b[1] * y + b[2]) * z + b[3]
                if lamps.near[m]:
                    ahead = max((c[0] * x + c[1] * y + c[2]) * z + c[3], _CLOSEST)
                    u, v = u / ahead, v / ahead
                u = min(max(u, lamps.limits[m, 0]), lamps.limits[m, 1])
                v = min(max(v, lamps.limits[m, 2]), lamps.limits[m, 3])
                include(seen[_ANYWHERE], u, v)


@inlined
def widen_seen(seen: Any, step: float, margin: float, limits: Any) -> None:
    """Widen what is seen by the way to the next sample, `step` at 1 m, and by a margin, within limits (4,)."""
    reach = _LEAST
    for k in range(SEEN_ROWS):
        reach *= 2.0
        if seen[k, 0] <= seen[k, 1]:
            more = margin + (step * reach if k < _BINS else 0.0)
            seen[k, 0], seen[k, 1] = max(seen[k, 0] - more, limits[0]), min(seen[k, 1] + more, limits[1])
            seen[k, 2], seen[k, 3] = max(seen[k, 2] - more, limits[2]), min(seen[k, 3] + more, limits[3])


@inlined
def united(seen: Any, last: int) -> Any:
    """The limits of the rows before `last`."""
    u0, u1, v0, v1 = _WIDE, -_WIDE, _WIDE, -_WIDE
    for k in range(last):
        u0, u1 = min(u0, seen[k, 0]), max(u1, seen[k, 1])
        v0, v1 = min(v0, seen[k, 2]), max(v1, seen[k, 3])
    return u0, u1, v0, v1


@inlined
def few_of(seen: Any) -> float:
    """How many samples are few."""
    count = 0.0
    for k in range(_BINS):
        count += seen[k, 5]
    return _FEW * count


@inlined
def near_by(seen: Any, first: int, last: int, few: float) -> float:
    """The least distance of the rows from `first` to before `last`, but for the nearest with so few samples."""
    count, nearest = 0.0, _WIDE
    for k in range(first, last):
        count += seen[k, 5]
        if count > few and nearest == _WIDE:
            nearest = seen[k, 4]
    return nearest


@inlined
def nearer_part(seen: Any, most: int, pixel: float) -> int:
    """Up to before which row of `seen` a finer map is best drawn, 0 where it is not worth it."""
    u0, u1, v0, v1 = united(seen, SEEN_ROWS)
    few = few_of(seen)
    coarse, near = max(u1 - u0, v1 - v0) / most, near_by(seen, 0, _BINS, few)
    if coarse <= _COARSE * pixel * near:
        return 0
    best, least = 0, _WORTH * coarse / near
    for last in range(1, _BINS):
        u0, u1, v0, v1 = united(seen, last)
        inside, beyond = near_by(seen, 0, last, few), near_by(seen, last, _BINS, few)
        widest = max(max(u1 - u0, v1 - v0) / most / inside, coarse / beyond)
        if inside < _WIDE and widest < least:
            best, least = last, widest
    return best


@inlined
def place_map(m: int, seen: Any, last: int, most: int, finest: float, pixel: float, fit: Any, places: Any) -> None:
    """Let map m show the rows of `seen` before `last`, with at most so many texels a side, none below `finest`."""
    u0, u1, v0, v1 = united(seen, last)
    near = near_by(seen, 0, min(last, _BINS), few_of(seen))
    # Nothing is in a map without texels.
    fit[m, 0], fit[m, 1], fit[m, 2], places[m, 1], places[m, 2] = 1.0, -_WIDE, -_WIDE, 0, 0
    if u0 > u1:
        return
    least = max(max(u1 - u0, v1 - v0) / (most - 4), _FINEST * pixel * near if near < _WIDE else 0.0)
    least = max(least, finest)
    texel = 1.0 / 65536.0
    while texel < least:
        texel *= 2.0
    if texel >= least * _ROOT_TWO:
        texel /= _ROOT_TWO
    left, top = np.floor(u0 / texel) - 1.0, np.floor(v0 / texel) - 1.0
    fit[m, 0], fit[m, 1], fit[m, 2] = 1.0 / texel, -left, -top
    places[m, 1], places[m, 2] = int(np.ceil(u1 / texel) + 1.0 - left), int(np.ceil(v1 / texel) + 1.0 - top)
