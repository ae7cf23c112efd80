"""Fewer triangles for a surface, within a geometric error that is measured.

Edges are collapsed in the order of their quadric error (Garland and Heckbert 1997). A collapse is kept only if, in both
directions between the given surface and the new triangles, no sample is farther than a share of the tolerance, and the
new triangles face the side that the surface near them faces. At last the error of all points is bounded,
and where it is too large the collapses are taken back, and done again with a lower tolerance.
"""

from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.kernels import jit
from simworld.rendering.meshes.simplify.collapse import collapse
from simworld.rendering.meshes.simplify.distance import (
    DistanceSurface,
    build_hierarchy,
    closest,
    dot,
    face_normals,
    gap,
    nearest,
    quartered,
    samples,
    strays,
)

MARGIN, TIGHTER, ROUNDS = 0.95, 0.7, 10
"""Share of the tolerance that the samples may be off, by how much it shrinks where other points are too far then, and
how often it may."""


def simplify(surface: DistanceSurface, tolerance: float) -> DistanceSurface:
    """The surface with as few triangles as were found within the tolerance, which is in the vertices' unit."""
    count = len(surface.vertices)
    points, home = samples(quartered(surface))
    tree, careful = build_hierarchy(surface), np.zeros(count, dtype=np.int64)
    pairs, places, known = np.empty((count, 2), dtype=np.int64), np.empty((count, 3)), 0
    shares = MARGIN * tolerance * TIGHTER ** np.arange(ROUNDS)
    before = np.full((len(surface.triangles), 3, 3), np.nan)
    for _ in range(ROUNDS):
        vertices, triangles = surface.vertices.copy(), surface.triangles.copy()
        known = collapse(
            *(vertices, triangles, surface.labels, points, home // 4, *tree, shares),
            *(careful.copy(), pairs, places, known),
        )
        kept = triangles[:, 0] >= 0
        simple = DistanceSurface(vertices, triangles[kept], surface.labels[kept])
        cells = np.where(kept[:, None, None], vertices[triangles], np.nan)
        new = ~(cells == before).all(axis=(1, 2))[kept]
        there, back = strays(surface, simple, tolerance), np.zeros(len(new), dtype=np.bool_)
        back[new] = strays(DistanceSurface(vertices, simple.triangles[new], simple.labels[new]), surface, tolerance)
        if not there.any() and not back.any():
            return simple
        before = cells
        before[np.flatnonzero(kept)[back]] = np.nan
        into = np.arange(count)
        for u, v in pairs[:known][::-1]:
            into[v] = into[u]
        careful += np.isin(into, [*into[surface.triangles[there]].ravel(), *simple.triangles[back].ravel()])
    return surface


def carried_normals(given: DistanceSurface, normals: Array, simple: DistanceSurface, tolerance: float) -> Array:
    """Normals (k, 3, 3) at the corners of a simplified surface, from those (m, 3, 3) of the given one.

    Each is the one of the given surface nearby that agrees best with its triangle, or the triangle's own normal where
    none does to 60 degrees: what was smooth stays smooth, and creases stay sharp.
    """
    faces = face_normals(simple.vertices, simple.triangles)
    tree = build_hierarchy(given)
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
            reach = (np.sqrt(nearest(p, wanted[i], faces[i], 0.0, np.inf, tree, stack)[0]) + slack) ** 2
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
