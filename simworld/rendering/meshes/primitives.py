"""Box, sphere and cylinder with just as many triangles as a tolerance asks for, and whether a mesh is closed.

The normals are those of the true shape.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.rendering.meshes.simplify.distance import face_normals
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

FINEST = 0.003
"""The tolerance below which the files in `assets`, which are as near to the true shapes, are drawn instead."""


@cache
def box() -> TriangleMesh:
    """A cube from -1 to 1."""
    vertices = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    normals = np.repeat(face_normals(vertices, triangles)[:, None], 3, axis=1)
    return TriangleMesh(vertices, triangles, normals, closed=True)


def sphere(tolerance: float) -> TriangleMesh | None:
    """A geodesic sphere about the sphere of radius 1, as far outside as inside; None below FINEST."""
    parts = 0
    while tolerance >= FINEST:
        parts += 1
        error, shape = _sphere(parts)
        if error <= tolerance:
            return shape
    return None


def cylinder(tolerance: float) -> TriangleMesh | None:
    """A prism about the cylinder of radius 1 from z = -1 to 1, as far outside as inside; None below FINEST."""
    sides = 2
    while tolerance >= FINEST:
        sides += 1
        radius = 2 / (1 + math.cos(math.pi / sides))
        if radius - 1 <= tolerance:
            return _prism(sides, radius)
    return None


@cache  # by its parts, of which there are few, and not by the tolerance, which differs from scene to scene
def _sphere(parts: int) -> tuple[float, TriangleMesh]:
    """The geodesic sphere with its edges in so many parts, and how far it is off."""
    directions, triangles = _geodesic(parts)
    radius = 2 / (1 + _depth(directions, triangles))
    return radius - 1, TriangleMesh(radius * directions, triangles, directions[triangles], closed=True)


@cache
def _prism(sides: int, radius: float) -> TriangleMesh:
    angles = [2 * math.pi * k / sides for k in range(sides)]
    around = np.array([(math.cos(a), math.sin(a), 0.0) for a in angles])
    up = np.array([0.0, 0.0, 1.0])
    vertices = np.concatenate([radius * around - up, radius * around + up])
    low = np.arange(sides)
    following = np.roll(low, -1)
    wall = np.concatenate(
        [np.stack([low, following, following + sides], 1), np.stack([low, following + sides, low + sides], 1)]
    )
    lid = np.stack([np.zeros(sides - 2, dtype=np.int64), low[1:-1], low[2:]], 1)
    triangles = np.concatenate([wall, lid[:, ::-1], lid + sides])
    normals = np.concatenate([np.tile(around, (2, 1))[wall], *(np.tile(n, (sides - 2, 3, 1)) for n in (-up, up))])
    return TriangleMesh(vertices, triangles, normals, closed=True)


def _geodesic(parts: int) -> tuple[Array, NDArray[np.int64]]:
    """Unit vectors (n, 3) and triangles (m, 3): an icosahedron's, with each edge in equal parts."""
    t = (1 + math.sqrt(5)) / 2
    corners = np.array([p for a in (-1.0, 1.0) for b in (-t, t) for p in ((0.0, a, b), (a, b, 0.0), (b, 0.0, a))])
    near = [(a, b, c) for a in range(12) for b in range(a) for c in range(b)]
    sides = np.array([max(np.linalg.norm(corners[list(f)] - corners[list(f[1:] + f[:1])], axis=1)) for f in near])
    faces = np.array(near)[sides < 2.1]
    outward = np.einsum("mx,mx->m", face_normals(corners, faces), corners[faces].mean(axis=1)) > 0
    faces = np.where(outward[:, None], faces, faces[:, ::-1])
    grid = [(i, j) for i in range(parts + 1) for j in range(parts + 1 - i)]
    index = {ij: k for k, ij in enumerate(grid)}
    local = [(index[i, j], index[i + 1, j], index[i, j + 1]) for i, j in grid if i + j < parts]
    local += [(index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]) for i, j in grid if i + j < parts - 1]
    weights = np.array([(parts - i - j, i, j) for i, j in grid], dtype=float)
    points = (weights @ corners[faces]).reshape(-1, 3)
    every = (np.array(local) + len(grid) * np.arange(len(faces))[:, None, None]).reshape(-1, 3)
    _, first, inverse = np.unique(np.round(points, 9) + 0.0, axis=0, return_index=True, return_inverse=True)
    points = points[first]
    return points / np.linalg.norm(points, axis=1, keepdims=True), inverse.ravel()[every]


def _depth(vertices: Array, triangles: NDArray[np.int64]) -> float:
    """Distance from the origin to the nearest of the planes of the triangles."""
    return float((face_normals(vertices, triangles) * vertices[triangles[:, 0]]).sum(axis=1).min())


def is_closed(vertices: Array, triangles: NDArray[np.int64]) -> bool:
    """Whether each edge is run once each way, and each shell holds a positive volume or is a cavity of those that do.

    A cavity's first triangle has a winding number of 1 or more in the other shells (Van Oosterom and Strackee 1983).
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    ahead = np.sort(edges @ [len(vertices), 1])
    back = np.sort(edges @ [1, len(vertices)])
    if (ahead[1:] == ahead[:-1]).any() or not np.array_equal(ahead, back):
        return False
    shells = _shells(len(vertices), triangles)
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    volumes = np.zeros(len(vertices))
    np.add.at(volumes, shells, (a * np.cross(b, c)).sum(axis=1))
    full = volumes[shells] > 0
    for shell in np.unique(shells[~full]):
        point = vertices[triangles[np.argmax(shells == shell)]].mean(axis=0)
        if not _winding(point, vertices[triangles[full]]) > 0.5:
            return False
    return True


def _shells(count: int, triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each triangle (m,), the smallest vertex that edges connect it to."""
    root = np.arange(count)
    while True:
        least = root[triangles].min(axis=1)
        lower = root.copy()
        np.minimum.at(lower, triangles.ravel(), np.repeat(least, 3))
        np.minimum.at(lower, root[triangles].ravel(), np.repeat(least, 3))
        lower = lower[lower]
        if np.array_equal(lower, root):
            return root[triangles[:, 0]]
        root = lower


def _winding(point: Array, corners: Array) -> float:
    """How often triangles (m, 3, 3) enclose a point."""
    a, b, c = (corners - point).transpose(1, 0, 2)
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    above = (a * np.cross(b, c)).sum(axis=1)
    below = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return float(np.arctan2(above, below).sum() / (2 * np.pi))
