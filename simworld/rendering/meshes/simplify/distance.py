"""Exact distances between triangle surfaces, from a tree of bounding boxes.

The tree is a complete binary one over the triangles in Morton order, stored as a heap.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.kernels import inlined, jit, kernel

Index = NDArray[np.int64]

ACCURACY = 0.03
"""Share of the limit by which a measured error can be too large."""


class DistanceSurface(NamedTuple):
    """Vertices (n, 3), triangles (m, 3), and a label (m,) of each: the error is measured label by label."""

    vertices: Array
    triangles: Index
    labels: Index


class Tree(NamedTuple):
    """Triangles in Morton order, a power of two p of them: corners (p, 3, 3), unit normals (p, 3), labels (p,).

    `row` (p,) is each one's row in the surface; `boxes` (2p, 6) are bounds of a heap whose leaves are the last p.
    """

    corners: Array
    normals: Array
    labels: Index
    row: Index
    boxes: Array


def deviation(one: DistanceSurface, other: DistanceSurface, limit: float) -> float:
    """The two-sided distance of all points of two surfaces, label by label, and up to ACCURACY * limit more, not less.

    It is inf where that could reach `limit`.
    """
    there = bounds(one.vertices[one.triangles], one.labels, *build_hierarchy(other), 0.0, limit, ACCURACY * limit)
    back = bounds(other.vertices[other.triangles], other.labels, *build_hierarchy(one), 0.0, limit, ACCURACY * limit)
    return float(max(there.max(), back.max()))


def strays(one: DistanceSurface, other: DistanceSurface, limit: float) -> Array:
    """Whether each triangle (m,) of one surface may have points that are `limit` or farther from the other."""
    enough, slack = (1 - ACCURACY) * limit, ACCURACY * limit
    cells = one.vertices[one.triangles]
    return np.asarray(np.isinf(bounds(cells, one.labels, *build_hierarchy(other), enough, limit, slack)))


def face_normals(vertices: Array, triangles: Index) -> Array:
    """Unit normals (m, 3) of triangles (m, 3); zero for a triangle without area."""
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    unit: Array = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    return unit


def build_hierarchy(surface: DistanceSurface) -> Tree:
    """The search tree of a surface with at least one triangle."""
    corners = surface.vertices[surface.triangles]
    normals = face_normals(surface.vertices, surface.triangles)
    centers = corners.mean(axis=1) - corners.min(axis=(0, 1))
    cells = (centers * (1023 / max(centers.max(), 1e-300))).astype(np.int64)
    code = np.zeros(len(cells), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= (cells[:, axis] >> bit & 1) << (3 * bit + axis)
    order = np.argsort(code, kind="stable")
    size = 1 << (len(order) - 1).bit_length()
    order = np.concatenate([order, np.repeat(order[-1:], size - len(order))])
    corners = np.ascontiguousarray(corners[order])
    boxes = np.empty((2 * size, 6))
    boxes[size:, :3], boxes[size:, 3:] = corners.min(axis=1), corners.max(axis=1)
    while size > 1:
        left, right = boxes[size : 2 * size : 2], boxes[size + 1 : 2 * size : 2]
        size //= 2
        boxes[size : 2 * size, :3] = np.minimum(left[:, :3], right[:, :3])
        boxes[size : 2 * size, 3:] = np.maximum(left[:, 3:], right[:, 3:])
    return Tree(corners, normals[order], surface.labels[order], order, boxes)


def quartered(surface: DistanceSurface) -> DistanceSurface:
    """The same surface with each triangle cut in four."""
    n, m, triangles = len(surface.vertices), len(surface.triangles), surface.triangles
    ends, side = _edges(triangles, np.zeros(m, dtype=np.int64))
    ab, bc, ca = n + side.reshape(3, m)
    a, b, c = triangles.T
    corners = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    vertices = np.concatenate([surface.vertices, surface.vertices[ends].mean(axis=1)])
    return DistanceSurface(vertices, corners, np.repeat(surface.labels, 4))


def samples(surface: DistanceSurface) -> tuple[Array, Index]:
    """Points (s, 3) on a surface and a triangle (s,) that has each: vertices, midpoints and centroids, by label."""
    triangles, rows = surface.triangles, np.arange(len(surface.triangles))
    owner, label = np.tile(rows, 3), np.tile(surface.labels, 3)
    corner = triangles.T.ravel()
    vertex = np.unique(corner + len(surface.vertices) * label, return_index=True)[1]
    ends, edge = _edges(triangles, surface.labels)
    first = np.unique(edge, return_index=True)[1]
    points = [
        surface.vertices[corner[vertex]],
        surface.vertices[ends].mean(axis=1),
        surface.vertices[triangles].mean(axis=1),
    ]
    return np.concatenate(points), np.concatenate([owner[vertex], owner[first], rows])


def _edges(triangles: Index, labels: Index) -> tuple[Index, Index]:
    """The ends (e, 2) of the edges, label by label, and the edge of each side (3m,): all first sides come first."""
    starts, ends = triangles.T.ravel(), np.roll(triangles, -1, axis=1).T.ravel()
    low, high, count = np.minimum(starts, ends), np.maximum(starts, ends), triangles.max() + 1
    _, first, edge = np.unique(
        (np.tile(labels, 3) * count + low) * count + high, return_index=True, return_inverse=True
    )
    return np.stack([low, high], axis=1)[first], edge.ravel()


@inlined
def dot(a: Any, b: Any) -> Any:
    """The scalar product of two 3-vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def minus(a: Any, b: Any) -> Any:
    """The difference of two 3-vectors."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inlined
def cross(a: Any, b: Any) -> Any:
    """The vector product of two 3-vectors."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inlined
def closest(p: Any, a: Any, b: Any, c: Any) -> Any:
    """Squared distance from p to the triangle a, b, c, and the weights of b and c there (Ericson 2005, 5.1.5)."""
    u, v, w = minus(b, a), minus(c, a), minus(p, a)
    d1, d2, uu, uv, vv = dot(u, w), dot(v, w), dot(u, u), dot(u, v), dot(v, v)
    d3, d4, d5, d6 = d1 - uu, d2 - uv, d1 - uv, d2 - vv
    wa, wb, wc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0 and d2 <= 0:
        s, t = 0.0, 0.0
    elif d3 >= 0 and d4 <= d3:
        s, t = 1.0, 0.0
    elif d6 >= 0 and d5 <= d6:
        s, t = 0.0, 1.0
    elif wc <= 0 and d1 >= 0 and d3 <= 0:
        s, t = d1 / (d1 - d3), 0.0
    elif wb <= 0 and d2 >= 0 and d6 <= 0:
        s, t = 0.0, d2 / (d2 - d6)
    elif wa <= 0:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        s = 1.0 - t
    else:
        s, t = wb / (wa + wb + wc), wc / (wa + wb + wc)
    x, y, z = w[0] - s * u[0] - t * v[0], w[1] - s * u[1] - t * v[1], w[2] - s * u[2] - t * v[2]
    return x * x + y * y + z * z, s, t


@inlined
def gap(p: Any, box: Any) -> Any:
    """Squared distance from a point to a box."""
    x, y = max(box[0] - p[0], p[0] - box[3], 0.0), max(box[1] - p[1], p[1] - box[4], 0.0)
    z = max(box[2] - p[2], p[2] - box[5], 0.0)
    return x * x + y * y + z * z


@kernel
def nearest(p: Any, label: int, facing: Any, enough: Any, limit: Any, tree: Any, stack: Any) -> Any:
    """Smallest squared distance below `limit` from p to a triangle of a label that faces one side, and its leaf.

    They are `limit` and -1 if there is none. Stops at the first below `enough`. `facing` is a normal that the
    triangle's has to agree with, or zero.
    """
    corners, normals, labels, boxes = tree
    size = labels.shape[0]
    stack[0], count, best, leaf = 1, 1, limit, -1
    while count > 0 and best >= enough:
        count -= 1
        node = stack[count]
        if gap(p, boxes[node]) >= best:
            continue
        if node < size:
            near = 2 * node
            if gap(p, boxes[near]) > gap(p, boxes[near + 1]):
                near += 1
            stack[count], stack[count + 1] = near ^ 1, near
            count += 2
            continue
        k = node - size
        if labels[k] == label and dot(normals[k], facing) >= 0:
            away = closest(p, corners[k, 0], corners[k, 1], corners[k, 2])[0]
            if away < best:
                best, leaf = away, k
    return best, leaf


@inlined
def _counts(k: int, p: Any, label: int, facing: Any, limit: Any, tree: Any) -> Any:
    """Whether a leaf's triangle has the label, faces the side, and is near enough."""
    if tree[2][k] != label or dot(tree[1][k], facing) < 0:
        return False
    corners = tree[0]
    return closest(p, corners[k, 0], corners[k, 1], corners[k, 2])[0] < limit


@kernel
def within(p: Any, label: int, facing: Any, limit: Any, tree: Any, stack: Any, hint: int) -> int:
    """A leaf with a triangle as in `nearest` at a squared distance below `limit`, -1 if none; tries a hint first."""
    boxes, size = tree[3], tree[2].shape[0]
    if hint >= 0 and _counts(hint, p, label, facing, limit, tree):
        return hint
    stack[0], count = 1, 1
    while count > 0:
        count -= 1
        node = stack[count]
        if node >= size:
            k = node - size
            if _counts(k, p, label, facing, limit, tree):
                return int(k)
            continue
        near = 2 * node
        left, right = gap(p, boxes[near]), gap(p, boxes[near + 1])
        if left > right:
            near += 1
        if max(left, right) < limit:
            stack[count] = near ^ 1
            count += 1
        if min(left, right) < limit:
            stack[count] = near
            count += 1
    return -1


@inlined
def longest(cell: Any) -> Any:
    """Which side of a triangle (3, 3) is the longest, by its first corner, and its squared length."""
    side, most = 0, -1.0
    for k in range(3):
        along = minus(cell[(k + 1) % 3], cell[k])
        length = dot(along, along)
        if length > most:
            side, most = k, length
    return side, most


@inlined
def halve(cells: Any, place: int, side: int) -> None:
    """Cut the triangle in a row of `cells` (c, 3, 3) at the middle of a side: its halves are there and in the next."""
    end = (side + 1) % 3
    for x in range(3):
        middle = (cells[place, side, x] + cells[place, end, x]) / 2
        for k in range(3):
            cells[place + 1, k, x] = cells[place, k, x]
        cells[place + 1, side, x] = middle
        cells[place, end, x] = middle


@inlined
def spread(cell: Any, corner: Any) -> Any:
    """The largest squared distance from a triangle (3, 3) to another one: convex, it is that of a corner."""
    return max(
        closest(cell[0], corner[0], corner[1], corner[2])[0],
        closest(cell[1], corner[0], corner[1], corner[2])[0],
        closest(cell[2], corner[0], corner[1], corner[2])[0],
    )


@kernel
def _rest(cells: Any, label: int, tree: Any, stack: Any, hit: int, top: float, limit: float, slack: float) -> Any:
    """The larger of `top` and what `bounds` finds for the triangle cells[0], and the last leaf that was near."""
    corners, aside, count = tree[0], (0.0, 0.0, 0.0), 1
    while count > 0:
        count -= 1
        cell = cells[count]
        if hit >= 0 and spread(cell, corners[hit]) <= top * top:
            continue
        p = (
            (cell[0, 0] + cell[1, 0] + cell[2, 0]) / 3,
            (cell[0, 1] + cell[1, 1] + cell[2, 1]) / 3,
            (cell[0, 2] + cell[1, 2] + cell[2, 2]) / 3,
        )
        a, b, c = minus(cell[0], p), minus(cell[1], p), minus(cell[2], p)
        radius = np.sqrt(max(dot(a, a), dot(b, b), dot(c, c)))
        room, full = max(top - radius, 0.0), count + 2 > cells.shape[0]
        if room > 0 or (radius > limit and not full):  # a large one is cut, whatever is near
            hit = within(p, label, aside, room * room if room > 0 else limit * limit, tree, stack, hit)
            if hit >= 0 and (room > 0 or spread(cell, corners[hit]) <= top * top):
                continue
        if room > 0 or radius <= limit or full or hit < 0:
            squared, hit = nearest(p, label, aside, 0.0, limit * limit, tree, stack)
            if hit < 0:
                return np.inf, hit
            away = np.sqrt(squared)
            bound = min(away + radius, np.sqrt(spread(cell, corners[hit])))
            if bound <= top or bound <= away + (slack if bound < limit else slack / 10) or full:
                top = max(top, bound)
                continue
        halve(cells, count, longest(cell)[0])
        count += 2
    return top, hit


@jit
def bounds(
    triangles: Any, wanted: Any, corners: Any, normals: Any, labels: Any, row: Any, boxes: Any,
    enough: float, limit: float, slack: float,
) -> Any:  # fmt: skip
    """The largest distances (m,) from points of triangles (m, 3, 3) to the tree's triangles with their label.

    Each is `slack` too large at most, no less than those before it, `enough` where they are less, and inf where it may
    reach `limit`.
    """
    tree, stack, top = (corners, normals, labels, boxes), np.empty(64, np.int64), enough
    cells, hit, out = np.empty((128, 3, 3)), -1, np.empty(triangles.shape[0])
    for i in range(triangles.shape[0]):
        cells[0] = triangles[i]
        if hit >= 0 and labels[hit] != wanted[i]:
            hit = -1
        most, hit = _rest(cells, wanted[i], tree, stack, hit, top, limit, slack)
        if most < limit:
            out[i], top = most, most
        else:
            out[i] = np.inf
    return out


@jit
def farthest(
    points: Any, wanted: Any, corners: Any, normals: Any, labels: Any, row: Any, boxes: Any, limit: float
) -> float:
    """The largest distance from points (s, 3) to the triangles with their label, inf from `limit` on."""
    tree, stack, top = (corners, normals, labels, boxes), np.empty(64, np.int64), 0.0
    hit, aside = -1, (0.0, 0.0, 0.0)
    for i in range(points.shape[0]):
        hit = within(points[i], wanted[i], aside, top, tree, stack, hit)
        if hit < 0:
            top = nearest(points[i], wanted[i], aside, 0.0, limit * limit, tree, stack)[0]
            if top >= limit * limit:
                return np.inf
    return float(np.sqrt(top))
