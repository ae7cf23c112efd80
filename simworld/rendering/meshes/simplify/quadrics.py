"""Quadric error metrics (Garland and Heckbert 1997): how far a place is from the planes that met at a vertex.

A quadric (10,) is the upper triangle of the symmetric 4x4 matrix of a weighted sum of squared distances to planes.
"""

from typing import Any

import numpy as np

from simworld.kernels import jit, kernel
from simworld.rendering.meshes.simplify.distance import cross, dot, minus


@jit
def quadrics_of(vertices: Any, triangles: Any, tags: Any, around: Any, users: Any) -> Any:
    """The quadrics (n, 10) of the planes about each vertex, weighted by area, and which vertices (n,) are on a border.

    A border, also one between labels, adds a plane through itself, so that it keeps its shape.
    """
    quadrics, rim = np.zeros((vertices.shape[0], 10)), np.zeros(vertices.shape[0], np.bool_)
    for f in range(triangles.shape[0]):
        a, b, c = vertices[triangles[f, 0]], vertices[triangles[f, 1]], vertices[triangles[f, 2]]
        x, y, z = cross(minus(b, a), minus(c, a))
        area = np.sqrt(x * x + y * y + z * z)
        if area == 0:
            continue
        normal = (x / area, y / area, z / area)
        for k in range(3):
            _add_plane(quadrics[triangles[f, k]], normal, a, area)
            u, v = triangles[f, k], triangles[f, (k + 1) % 3]
            both, other = 0, 0
            corner = around[u]
            while corner >= 0:
                g = corner // 3
                if triangles[g, 0] == v or triangles[g, 1] == v or triangles[g, 2] == v:
                    both += 1
                    other += tags[g] != tags[f]
                corner = users[corner]
            if both != 2 or other > 0:
                along = minus(vertices[v], vertices[u])
                length = np.sqrt(dot(along, along))
                x, y, z = cross(along, normal)
                wall = (x / length, y / length, z / length)
                _add_plane(quadrics[u], wall, vertices[u], length * length)
                _add_plane(quadrics[v], wall, vertices[u], length * length)
            if both != 2:
                rim[u] = True
                rim[v] = True
    return quadrics, rim


@kernel
def _add_plane(quadric: Any, normal: Any, point: Any, weight: float) -> None:
    x, y, z = normal[0], normal[1], normal[2]
    d = -(x * point[0] + y * point[1] + z * point[2])
    for k, value in enumerate((x * x, x * y, x * z, x * d, y * y, y * z, y * d, z * z, z * d, d * d)):
        quadric[k] += weight * value


@kernel
def _cost(q: Any, p: Any) -> Any:
    """The weighted sum of a point's squared distances to the planes of a quadric."""
    x, y, z = p[0], p[1], p[2]
    return (
        q[0] * x * x + q[4] * y * y + q[7] * z * z + q[9]
        + 2 * (q[1] * x * y + q[2] * x * z + q[3] * x + q[5] * y * z + q[6] * y + q[8] * z)
    )  # fmt: skip


@kernel
def place_for(u: int, v: int, vertices: Any, quadrics: Any, spot: Any) -> Any:
    """Write the best place for the vertex that replaces u and v to `spot`; its cost orders the collapses."""
    a, b, p, r = vertices[u], vertices[v], quadrics[u], quadrics[v]
    q = (p[0] + r[0], p[1] + r[1], p[2] + r[2], p[3] + r[3], p[4] + r[4],
         p[5] + r[5], p[6] + r[6], p[7] + r[7], p[8] + r[8], p[9] + r[9])  # fmt: skip
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)
    along = minus(b, a)
    length = dot(along, along)
    # A pull towards the middle, far below the tolerance, chooses along flat and straight parts.
    pull = 1e-4 * (q[0] + q[4] + q[7])
    xx, yy, zz = q[0] + pull, q[4] + pull, q[7] + pull
    rx, ry, rz = pull * middle[0] - q[3], pull * middle[1] - q[6], pull * middle[2] - q[8]
    cx, cy, cz = yy * zz - q[5] * q[5], q[5] * q[2] - q[1] * zz, q[1] * q[5] - yy * q[2]
    det = xx * cx + q[1] * cy + q[2] * cz
    if det > 0:
        spot[0] = (rx * cx + ry * cy + rz * cz) / det
        spot[1] = (rx * cy + ry * (xx * zz - q[2] * q[2]) + rz * (q[1] * q[2] - xx * q[5])) / det
        spot[2] = (rx * cz + ry * (q[1] * q[2] - xx * q[5]) + rz * (xx * yy - q[1] * q[1])) / det
    away = minus(spot, middle)
    if det <= 0 or dot(away, away) > length:
        best = np.inf
        for end in (middle, (a[0], a[1], a[2]), (b[0], b[1], b[2])):
            if _cost(q, end) < best:
                best = _cost(q, end)
                spot[0], spot[1], spot[2] = end
    return max(_cost(q, spot), 0.0) + 1e-9 * length * (q[0] + q[4] + q[7])
