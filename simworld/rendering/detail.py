"""Fewer triangles for a surface, within a geometric error that is measured.

Edges are collapsed in the order of their quadric error (Garland and Heckbert 1997). A collapse is kept only if, in both
directions between the given surface and the new triangles, no vertex, centroid or midpoint of an edge is farther than
the tolerance, and the new triangles face the side that the surface near them faces.
"""

from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.rendering.collapse import collapse
from simworld.rendering.distance import (
    Surface,
    closest,
    deviation,
    dot,
    face_normals,
    gap,
    nearest,
    plant,
    quartered,
    samples,
)
from simworld.rendering.kernels import jit

MARGINS = (0.95, 0.88, 0.78, 0.6)
"""Shares of the tolerance that collapses may use, tried in turn, as the error between their points can be larger."""

ALLOWED = 0.97
"""Share of the tolerance that the error may reach, which is measured at more points, but not at all."""


def simplify(surface: Surface, tolerance: float) -> Surface:
    """The surface with as few triangles as were found within the tolerance, which is in the vertices' unit."""
    for margin in MARGINS:
        vertices, triangles = surface.vertices.copy(), surface.triangles.copy()
        points, home = samples(quartered(surface))
        collapse(vertices, triangles, surface.labels, points, home // 4, *plant(surface), margin * tolerance)
        kept = triangles[:, 0] >= 0
        simple = Surface(vertices, triangles[kept], surface.labels[kept])
        if deviation(surface, simple, ALLOWED * tolerance) < np.inf:
            return simple
    return surface


def carried_normals(given: Surface, normals: Array, simple: Surface, tolerance: float) -> Array:
    """Normals (k, 3, 3) at the corners of a simplified surface, from those (m, 3, 3) of the given one.

    Each is the one of the given surface nearby that agrees best with its triangle, or the triangle's own normal where
    none does to 60 degrees: what was smooth stays smooth, and creases stay sharp.
    """
    faces = face_normals(simple.vertices, simple.triangles)
    tree = plant(given)
    corners = simple.vertices[simple.triangles]
    return np.asarray(_carry(corners, faces, simple.labels, *tree, normals[tree.row], tolerance / 2))


@jit
def _carry(
    places: Any, faces: Any, wanted: Any,
    corners: Any, normals: Any, labels: Any, row: Any, boxes: Any, given: Any, slack: float,
) -> Any:  # fmt: skip
    """Normals (k, 3, 3) at `places` from those `given` (p, 3, 3) at the tree's corners, as in `carried_normals`."""
    out, stack, normal = np.empty(places.shape), np.empty(64, np.int64), np.empty(3)
    tree, size = (corners, normals, labels, boxes), labels.shape[0]
    for i in range(places.shape[0]):
        for j in range(3):
            p = places[i, j]
            reach = (np.sqrt(nearest(p, wanted[i], faces[i], 0.0, np.inf, tree, stack)) + slack) ** 2
            out[i, j], best = faces[i], 0.5
            stack[0], count = 1, 1
            while count > 0:
                count -= 1
                node = stack[count]
                if gap(p, boxes[node]) > reach:
                    continue
                if node < size:
                    stack[count], stack[count + 1] = 2 * node, 2 * node + 1
                    count += 2
                    continue
                k = node - size
                away, s, t = closest(p, corners[k, 0], corners[k, 1], corners[k, 2])
                if away > reach or labels[k] != wanted[i]:
                    continue
                for x in range(3):
                    normal[x] = (1 - s - t) * given[k, 0, x] + s * given[k, 1, x] + t * given[k, 2, x]
                agrees = dot(normal, faces[i]) / np.sqrt(dot(normal, normal) + 1e-30)
                if agrees > best:
                    best = agrees
                    out[i, j] = normal / np.sqrt(dot(normal, normal))
    return out
