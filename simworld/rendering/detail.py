"""Fewer triangles for a surface, within a geometric error that is measured.

Edges are collapsed in the order of their quadric error (Garland and Heckbert 1997). A collapse is kept only if, in both
directions between the given surface and the new triangles, no vertex, centroid or midpoint of an edge is farther than
the tolerance, and the new triangles face the side that the surface near them faces.
"""

import heapq
from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.rendering.distance import (
    Surface,
    closest,
    cross,
    deviation,
    dot,
    face_normals,
    gap,
    minus,
    nearest,
    plant,
    quartered,
    samples,
)
from simworld.rendering.kernels import jit
from simworld.rendering.quadrics import place_for, quadrics_of

MARGINS = (0.95, 0.88, 0.78, 0.6)
"""Shares of the tolerance that collapses may use, tried in turn, as the error between their points can be larger."""

SPOTS = (
    *((1, 1, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (3, 1, 0), (1, 3, 0), (0, 3, 1), (0, 1, 3), (3, 0, 1), (1, 0, 3)),
    *((4, 1, 1), (1, 4, 1), (1, 1, 4), (2, 1, 1), (1, 2, 1), (1, 1, 2)),
)
"""Weights of the corners at the points of a triangle that the error is measured from, besides its corners."""

ALLOWED = 0.97
"""Share of the tolerance that the error may reach, which is measured at more points, but not at all."""


def simplify(surface: Surface, tolerance: float) -> Surface:
    """The surface with as few triangles as were found within the tolerance, which is in the vertices' unit."""
    for margin in MARGINS:
        vertices, triangles = surface.vertices.copy(), surface.triangles.copy()
        points, home = samples(quartered(surface))
        _collapse(vertices, triangles, surface.labels, points, home // 4, *plant(surface), margin * tolerance)
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
def _collapse(
    vertices: Any, triangles: Any, tags: Any, points: Any, home: Any,
    corners: Any, normals: Any, labels: Any, row: Any, boxes: Any, tolerance: float,
) -> None:  # fmt: skip
    """Collapse edges of `triangles` (m, 3) in place until none can go; those that went have a first vertex of -1.

    `points` (s, 3) of the surface, each on a triangle `home` (s,), stay within the tolerance of the triangles, and the
    triangles of the surface that the tree holds.
    """
    n, m = vertices.shape[0], triangles.shape[0]
    around, users = _chains(triangles.ravel(), n)  # the corners of each vertex
    held, points_of = _chains(home, m)  # the points of each triangle
    mesh = (vertices, triangles, tags, around, users, points, held, points_of, tags[home])
    scratch = (
        np.empty(m, np.int64),
        np.empty((m, 3, 3)),
        np.empty((m, 3)),
        np.zeros(n, np.int64),
        np.empty(64, np.int64),
    )
    tree = (corners, normals, labels, boxes)
    quadrics, rim = quadrics_of(vertices, triangles, tags, around, users)
    ring, seen, stamps = np.empty(n, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    spot, token, left, gone = np.empty(3), 0, m, m
    while gone * 50 > left:
        gone = 0
        heap = [(0.0, 0, 0, -2, -2)]
        for u in range(n):
            for k in range(_ring(u, triangles, around, users, seen, u + token, ring)):
                if ring[k] > u:
                    cost = place_for(u, ring[k], vertices, quadrics, spot)
                    heap.append((cost, u, ring[k], stamps[u], stamps[ring[k]]))
        token += n
        heapq.heapify(heap)
        while heap:
            cost, u, v, one, other = heapq.heappop(heap)
            if stamps[u] != one or stamps[v] != other:
                continue
            if not _attempt(u, v, quadrics, rim, spot, mesh, scratch, tree, tolerance):
                continue
            gone += 1
            stamps[u] += 1
            stamps[v] = -1
            for k in range(_ring(u, triangles, around, users, seen, token, ring)):
                w = ring[k]
                cost = place_for(u, w, vertices, quadrics, spot)
                heapq.heappush(heap, (cost, u, w, stamps[u], stamps[w]))
            token += 1
        left = 0
        for f in range(m):
            left += triangles[f, 0] >= 0


@jit
def _chains(owner: Any, count: int) -> Any:
    """Linked lists of the places in `owner` that hold each number below `count`: their heads, and what follows each."""
    heads, following = np.full(count, -1, np.int64), np.full(owner.shape[0], -1, np.int64)
    for i in range(owner.shape[0]):
        following[i] = heads[owner[i]]
        heads[owner[i]] = i
    return heads, following


@jit
def _ring(v: int, triangles: Any, around: Any, users: Any, seen: Any, token: int, ring: Any) -> int:
    """How many vertices share an edge with v; they are written to `ring`."""
    count, c = 0, around[v]
    while c >= 0:
        f = c // 3
        for k in range(3):
            w = triangles[f, k]
            if triangles[f, 0] >= 0 and w != v and seen[w] != token:
                seen[w] = token
                ring[count] = w
                count += 1
        c = users[c]
    return count


@jit
def _attempt(
    u: int, v: int, quadrics: Any, rim: Any, spot: Any, mesh: Any, scratch: Any, tree: Any, tolerance: float
) -> bool:
    """Replace u and v by one vertex, called u, if the shape of the surface and the tolerance allow it."""
    vertices, triangles, tags, around, users, points, held, points_of, kind = mesh
    star = scratch[0]
    count, dying = _star(u, v, rim, mesh, scratch)
    if count == 0:
        return False
    place_for(u, v, vertices, quadrics, spot)
    fits = _fits(u, v, spot, count, dying, mesh, scratch, tree, tolerance)
    for end in (u, v):
        if not fits:
            spot[:] = vertices[end]
            fits = _fits(u, v, spot, count, dying, mesh, scratch, tree, tolerance)
    if not fits:
        return False
    _settle(count, dying, mesh, scratch)
    vertices[u] = spot
    quadrics[u] += quadrics[v]
    rim[u] |= rim[v]
    for k in range(dying):
        triangles[star[star.shape[0] - 1 - k], 0] = -1
    around[u] = -1
    around[v] = -1
    for k in range(count):
        for j in range(3):
            w = triangles[star[k], j]
            if w in (u, v):
                triangles[star[k], j] = u
                users[3 * star[k] + j] = around[u]
                around[u] = 3 * star[k] + j
    return True


@jit
def _star(u: int, v: int, rim: Any, mesh: Any, scratch: Any) -> Any:
    """How many triangles about u and v remain without their edge, and how many go; 0 where the edge has to stay.

    The remaining ones are written to the start of the scratch list, the others to its end. The edge has to stay where
    its ends share a neighbour off its triangles (the link condition), or their borders would touch.
    """
    triangles, around, users, star = mesh[1], mesh[3], mesh[4], scratch[0]
    count, dying = 0, 0
    for w in (u, v):
        c = around[w]
        while c >= 0:
            t = triangles[c // 3]
            if t[0] >= 0 and u in (t[0], t[1], t[2]) and v in (t[0], t[1], t[2]):
                if w == u:
                    dying += 1
                    star[star.shape[0] - dying] = c // 3
            elif t[0] >= 0:
                star[count] = c // 3
                count += 1
            c = users[c]
    common = _common(u, v, triangles, around, users, scratch[3])
    if common != dying or dying > 2 or (dying == 2 and (count < 3 or (rim[u] and rim[v]))):
        return 0, 0
    return count, dying


@jit
def _common(u: int, v: int, triangles: Any, around: Any, users: Any, marks: Any) -> int:
    """How many vertices share an edge with both u and v; `marks` (n,) are zero before and after."""
    common = 0
    for stage, w in enumerate((u, v, u, v)):
        c = around[w]
        while c >= 0:
            for k in range(3):
                x = triangles[c // 3, k]
                if triangles[c // 3, 0] < 0 or x in (u, v):
                    continue
                if stage == 1 and marks[x] == 1:
                    common += 1
                marks[x] = (1, 2 * marks[x], 0, 0)[stage]
            c = users[c]
    return common


@jit
def _fits(
    u: int, v: int, spot: Any, count: int, dying: int, mesh: Any, scratch: Any, tree: Any, tolerance: float
) -> bool:
    """Whether the triangles about u and v with both at `spot` keep the sides they face, and the tolerance."""
    limit = tolerance * tolerance
    return bool(
        _turns(u, v, spot, count, mesh, scratch)
        and _stays(spot, count, mesh, scratch, tree, limit)
        and _covers(count, dying, mesh, scratch, limit)
    )


@jit
def _turns(u: int, v: int, spot: Any, count: int, mesh: Any, scratch: Any) -> bool:
    """Write the new triangles and their normals; False where one turns over or has no area."""
    vertices, triangles, star, fresh, facing = mesh[0], mesh[1], scratch[0], scratch[1], scratch[2]
    for i in range(count):
        t = triangles[star[i]]
        for k in range(3):
            fresh[i, k] = spot if t[k] in (u, v) else vertices[t[k]]
        a, b, c = fresh[i, 0], fresh[i, 1], fresh[i, 2]
        ab, bc, ac = minus(b, a), minus(c, b), minus(c, a)
        normal = cross(ab, ac)
        area = np.sqrt(dot(normal, normal))
        longest = max(dot(ab, ab), dot(bc, bc), dot(ac, ac))
        old = cross(minus(vertices[t[1]], vertices[t[0]]), minus(vertices[t[2]], vertices[t[0]]))
        if area <= 1e-4 * longest or dot(normal, old) < 0:
            return False
        facing[i, 0], facing[i, 1], facing[i, 2] = normal[0] / area, normal[1] / area, normal[2] / area
    return True


@jit
def _stays(spot: Any, count: int, mesh: Any, scratch: Any, tree: Any, limit: float) -> bool:
    """Whether the new triangles are near parts of the given surface that face the same side."""
    tags, (star, fresh, facing, _, stack) = mesh[2], scratch
    for i in range(count):
        if nearest(spot, tags[star[i]], facing[i], limit, limit, tree, stack) >= limit:
            return False
        a, b, c = fresh[i, 0], fresh[i, 1], fresh[i, 2]
        for u, v, w in SPOTS:
            d = u + v + w
            p = (
                (u * a[0] + v * b[0] + w * c[0]) / d,
                (u * a[1] + v * b[1] + w * c[1]) / d,
                (u * a[2] + v * b[2] + w * c[2]) / d,
            )
            if nearest(p, tags[star[i]], facing[i], limit, limit, tree, stack) >= limit:
                return False
    return True


@jit
def _covers(count: int, dying: int, mesh: Any, scratch: Any, limit: float) -> bool:
    """Whether the points that the star's triangles hold are near the new triangles with their label."""
    tags, points, held, points_of, star, fresh = mesh[2], mesh[5], mesh[6], mesh[7], scratch[0], scratch[1]
    for k in range(count + dying):
        f = star[k] if k < count else star[star.shape[0] - 1 - k + count]
        s = held[f]
        while s >= 0:
            near = k < count and closest(points[s], fresh[k, 0], fresh[k, 1], fresh[k, 2])[0] < limit
            i = 0
            while i < count and not near:
                if tags[star[i]] == tags[f]:
                    near = closest(points[s], fresh[i, 0], fresh[i, 1], fresh[i, 2])[0] < limit
                i += 1
            if not near:
                return False
            s = points_of[s]
    return True


@jit
def _settle(count: int, dying: int, mesh: Any, scratch: Any) -> None:
    """Give the points of the star's triangles to the nearest of the new triangles with their label."""
    vertices, triangles, tags, around, users, points, held, points_of, kind = mesh
    star, fresh, facing, shared, stack = scratch
    loose = -1
    for k in range(count + dying):
        f = star[k] if k < count else star[star.shape[0] - 1 - k + count]
        s = held[f]
        held[f] = -1
        while s >= 0:
            after = points_of[s]
            points_of[s] = loose
            loose, s = s, after
    while loose >= 0:
        after, best, place = points_of[loose], np.inf, -1
        for i in range(count):
            if tags[star[i]] == kind[loose]:
                away = closest(points[loose], fresh[i, 0], fresh[i, 1], fresh[i, 2])[0]
                if away < best:
                    best, place = away, star[i]
        points_of[loose] = held[place]
        held[place] = loose
        loose = after


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
