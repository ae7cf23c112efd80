"""Collapses of edges, in the order of their quadric error, as far as a tolerance allows.

Each is checked against the tolerance before it is made. Collapses that only count triangles, with the exact distance as
the judge of the whole, stop at the worst place: of five meshes at four tolerances they left 3.4 times the triangles.
"""

import heapq
from typing import Any

import numpy as np

from simworld.kernels import jit, kernel
from simworld.rendering.meshes.simplify.distance import closest, cross, dot, minus, within
from simworld.rendering.meshes.simplify.quadrics import place_for, quadrics_of

SPOTS = (
    *((1, 1, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (3, 1, 0), (1, 3, 0), (0, 3, 1), (0, 1, 3), (3, 0, 1), (1, 0, 3)),
    *((4, 1, 1), (1, 4, 1), (1, 1, 4), (2, 1, 1), (1, 2, 1), (1, 1, 2)),
)
"""Weights of the corners at the points of a triangle that the error is measured from, besides its corners."""


@jit
def collapse(
    vertices: Any, triangles: Any, tags: Any, points: Any, home: Any,
    corners: Any, normals: Any, labels: Any, row: Any, boxes: Any, tolerances: Any,
    careful: Any, pairs: Any, places: Any, known: int,
) -> int:  # fmt: skip
    """Collapse edges of `triangles` (m, 3) in place until none can go; those that went have a first vertex of -1.

    `points` (s, 3) of the surface, each on a triangle `home` (s,), stay within a tolerance of the triangles, and the
    triangles of the surface that the tree holds. Which of the tolerances it is `careful` (n,) says for each vertex.

    The collapses that were made, their number is returned, are written to `pairs` (n, 2) and `places` (n, 3). The first
    `known` of them, from a collapse of the same surface, are made again where no vertex has become careful.
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
    ring, seen = np.empty(n, np.int64), np.full(n, -1, np.int64)
    stamps, touched = np.zeros(n, np.int64), np.zeros(n, np.int64)
    spot, clock = np.empty(3), 0
    made = _replay(known, pairs, places, spot, quadrics, rim, careful, mesh, scratch, tree, tolerances)
    chosen = careful if known else np.ones(n, np.int64)  # all else failed before
    heap = _candidates(vertices, triangles, around, users, quadrics, seen, ring, spot, chosen)
    while len(heap) > 0:  # again, those that failed and about which something has changed since
        heapq.heapify(heap)
        failed = [(0.0, 0, 0, -2, -2, 0)]
        while heap:
            cost, u, v, one, other = heapq.heappop(heap)
            if stamps[u] != one or stamps[v] != other:
                continue
            tolerance = tolerances[max(careful[u], careful[v])]
            if not _attempt(u, v, quadrics, rim, spot, mesh, scratch, tree, tolerance):
                failed.append((cost, u, v, one, other, clock))
                continue
            careful[u] = max(careful[u], careful[v])
            pairs[made, 0], pairs[made, 1], places[made] = u, v, spot
            made += 1
            clock += 1
            stamps[u] += 1
            stamps[v] = -1
            touched[u] = clock
            for k in range(_ring(u, triangles, around, users, seen, n + clock, ring)):
                w = ring[k]
                touched[w] = clock
                heapq.heappush(heap, (place_for(u, w, vertices, quadrics, spot), u, w, stamps[u], stamps[w]))
        for cost, u, v, one, other, then in failed:
            if stamps[u] == one and stamps[v] == other and max(touched[u], touched[v]) > then:
                heap.append((cost, u, v, one, other))
    return made


@jit
def _replay(
    known: int, pairs: Any, places: Any, spot: Any, quadrics: Any, rim: Any, careful: Any,
    mesh: Any, scratch: Any, tree: Any, tolerances: Any,
) -> int:  # fmt: skip
    """Make the known collapses again where that can be; they move to the front, and their number is returned."""
    made = 0
    for k in range(known):
        u, v = pairs[k]
        for x in range(3):
            spot[x] = places[k, x]
        if _again(u, v, spot, quadrics, rim, careful, mesh, scratch, tree, tolerances):
            pairs[made, 0], pairs[made, 1], places[made] = u, v, spot
            made += 1
    return made


@jit
def _candidates(
    vertices: Any, triangles: Any, around: Any, users: Any, quadrics: Any, seen: Any, ring: Any, spot: Any, chosen: Any
) -> Any:
    """All edges with a `chosen` end: cost, ends, and the ends' stamps at that cost."""
    heap = [(0.0, 0, 0, -2, -2)]
    for u in range(vertices.shape[0]):
        for k in range(_ring(u, triangles, around, users, seen, u, ring)):
            if ring[k] > u and (chosen[u] or chosen[ring[k]]):
                heap.append((place_for(u, ring[k], vertices, quadrics, spot), u, ring[k], 0, 0))
    return heap


@jit
def _chains(owner: Any, count: int) -> Any:
    """Linked lists of the places in `owner` that hold each number below `count`: their heads, and what follows each."""
    heads, following = np.full(count, -1, np.int64), np.full(owner.shape[0], -1, np.int64)
    for i in range(owner.shape[0]):
        following[i] = heads[owner[i]]
        heads[owner[i]] = i
    return heads, following


@kernel
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


@kernel
def _attempt(
    u: int, v: int, quadrics: Any, rim: Any, spot: Any, mesh: Any, scratch: Any, tree: Any, tolerance: float
) -> bool:
    """Replace u and v by one vertex, called u, if the shape of the surface and the tolerance allow it."""
    vertices = mesh[0]
    count, dying = _star(u, v, rim, mesh, scratch)
    if count == 0:
        return False
    place_for(u, v, vertices, quadrics, spot)
    fits = _fits(u, v, spot, count, dying, mesh, scratch, tree, tolerance)
    for end in (u, v):
        if not fits:
            spot[0], spot[1], spot[2] = vertices[end, 0], vertices[end, 1], vertices[end, 2]
            fits = _fits(u, v, spot, count, dying, mesh, scratch, tree, tolerance)
    if not fits:
        return False
    _merge(u, v, spot, count, dying, quadrics, rim, mesh, scratch)
    return True


@kernel
def _again(
    u: int, v: int, spot: Any, quadrics: Any, rim: Any, careful: Any,
    mesh: Any, scratch: Any, tree: Any, tolerances: Any,
) -> bool:  # fmt: skip
    """Replace u and v by one vertex at `spot`, as was done before, if nothing about them has become careful.

    Where a neighbour has, all is checked again; where that fails, u and v become careful.
    """
    if careful[u] or careful[v]:
        careful[u] = max(careful[u], careful[v])
        careful[v] = careful[u]
        return False
    triangles, star = mesh[1], scratch[0]
    count, dying = _star(u, v, rim, mesh, scratch)
    near = 0
    for k in range(count):
        t = triangles[star[k]]
        near = max(near, careful[t[0]], careful[t[1]], careful[t[2]])
    fits = count > 0 and _turns(u, v, spot, count, mesh, scratch)
    if not fits or (near > 0 and not _fits(u, v, spot, count, dying, mesh, scratch, tree, tolerances[0])):
        careful[u] = 1
        careful[v] = 1
        return False
    _merge(u, v, spot, count, dying, quadrics, rim, mesh, scratch)
    return True


@kernel
def _merge(u: int, v: int, spot: Any, count: int, dying: int, quadrics: Any, rim: Any, mesh: Any, scratch: Any) -> None:
    """Move u to `spot` and let it take the place of v."""
    vertices, triangles, around, users, star = mesh[0], mesh[1], mesh[3], mesh[4], scratch[0]
    _settle(count, dying, mesh, scratch)
    _add(u, v, spot, vertices, quadrics, rim)
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


@kernel
def _add(u: int, v: int, spot: Any, vertices: Any, quadrics: Any, rim: Any) -> None:
    """Move u to its new place, and give it what v has."""
    for k in range(3):
        vertices[u, k] = spot[k]
    for k in range(10):
        quadrics[u, k] += quadrics[v, k]
    rim[u] |= rim[v]


@kernel
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


@kernel
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


@kernel
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


@kernel
def _turns(u: int, v: int, spot: Any, count: int, mesh: Any, scratch: Any) -> bool:
    """Write the new triangles and their normals; False where one turns over or has no area."""
    vertices, triangles, star, fresh, facing = mesh[0], mesh[1], scratch[0], scratch[1], scratch[2]
    for i in range(count):
        t = triangles[star[i]]
        for k in range(3):
            moved = t[k] == u or t[k] == v
            for x in range(3):
                fresh[i, k, x] = spot[x] if moved else vertices[t[k], x]
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


@kernel
def _stays(spot: Any, count: int, mesh: Any, scratch: Any, tree: Any, limit: float) -> bool:
    """Whether the new triangles are near parts of the given surface that face the same side."""
    tags, (star, fresh, facing, _, stack) = mesh[2], scratch
    for i in range(count):
        label = tags[star[i]]
        hit = within(spot, label, facing[i], limit, tree, stack, -1)
        if hit < 0:
            return False
        a, b, c = fresh[i, 0], fresh[i, 1], fresh[i, 2]
        for u, v, w in SPOTS:
            d = u + v + w
            p = (
                (u * a[0] + v * b[0] + w * c[0]) / d,
                (u * a[1] + v * b[1] + w * c[1]) / d,
                (u * a[2] + v * b[2] + w * c[2]) / d,
            )
            hit = within(p, label, facing[i], limit, tree, stack, hit)
            if hit < 0:
                return False
    return True


@kernel
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


@kernel
def _settle(count: int, dying: int, mesh: Any, scratch: Any) -> None:
    """Give the points of the star's triangles to the nearest of the new triangles with their label."""
    tags, points, held, points_of, kind = mesh[2], mesh[5], mesh[6], mesh[7], mesh[8]
    star, fresh, facing = scratch[0], scratch[1], scratch[2]
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
            if tags[star[i]] == kind[loose] and dot(facing[i], minus(points[loose], fresh[i, 0])) ** 2 < best:
                away = closest(points[loose], fresh[i, 0], fresh[i, 1], fresh[i, 2])[0]
                if away < best:
                    best, place = away, star[i]
        points_of[loose] = held[place]
        held[place] = loose
        loose = after
