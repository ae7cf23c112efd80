"""Where a texture is cut: surfaces by chart, so that what is simplified chart by chart keeps its seams in place."""

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.rendering.meshes.simplify.distance import Index

_ALIKE = 1e-6
"""Coordinates that differ by less are one."""

_CUTS = 8
"""How often what meets itself at a seam is cut in two."""


def charts(triangles: Index, coordinates: Array, labels: Index) -> Index | None:
    """Labels (m,) of triangles (m, 3) for which each edge between two of one label is no seam of `coordinates`.

    They are finer than the given ones. An edge is a seam where the texture coordinates (m, 3, 2), NaN for none, of its
    triangles differ at both ends: at one end alone it is where a seam ends, or the pole of a sphere. A chart that meets
    itself, as the wall of a can does, is cut in two far from there. None where that is not enough.
    """
    pairs, ends = _neighbours(triangles, coordinates, labels)
    apart = np.asarray((np.abs(ends[:, 0] - ends[:, 1]) > _ALIKE).any(axis=2)).all(axis=1)
    found = _connected(len(triangles), pairs[~apart])
    for _ in range(_CUTS):
        inner = apart & (found[pairs[:, 0]] == found[pairs[:, 1]])
        if not inner.any():
            return np.unique(found, return_inverse=True)[1].ravel().astype(np.int64)
        side = _sides(coordinates, found, found[pairs[inner, 0]], ends[inner])
        whole = ~apart & (side[pairs[:, 0]] == side[pairs[:, 1]]) & (found[pairs[:, 0]] == found[pairs[:, 1]])
        found = _connected(len(triangles), pairs[whole])
    return None


def _neighbours(triangles: Index, coordinates: Array, labels: Index) -> tuple[Index, Array]:
    """Triangles (e, 2) of one label on both sides of each edge, and their coordinates at its ends (e, 2, 2, 2)."""
    starts, ends = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    ahead, count = starts < ends, int(triangles.max()) + 1
    here, there = coordinates.reshape(-1, 2), np.roll(coordinates, -1, axis=1).reshape(-1, 2)
    both = np.where(ahead[:, None, None], np.stack([here, there], axis=1), np.stack([there, here], axis=1))
    edge = (np.repeat(labels, 3) * count + np.minimum(starts, ends)) * count + np.maximum(starts, ends)
    order = np.argsort(edge, kind="stable")
    one, other = (order[k][edge[order[1:]] == edge[order[:-1]]] for k in (slice(None, -1), slice(1, None)))
    return np.stack([one // 3, other // 3], axis=1), np.stack([both[one], both[other]], axis=1)


def _connected(count: int, pairs: Index) -> Index:
    """For each of `count` things, the least of those that pairs (e, 2) connect it to."""
    root = np.arange(count)
    while True:
        lower = root.copy()
        least = root[pairs].min(axis=1)
        for k in range(2):
            np.minimum.at(lower, pairs[:, k], least)
            np.minimum.at(lower, root[pairs[:, k]], least)
        lower = lower[lower]
        if np.array_equal(lower, root):
            return root
        root = lower


def _sides(coordinates: Array, found: Index, charts: Index, ends: Array) -> NDArray[np.bool_]:
    """On which side (m,) of a cut triangles are, of charts that seams have on both sides: `charts` (s,) say of which.

    It is across the direction in which coordinates leap at the seam, in the middle of that, where vertices are.
    """
    side = np.zeros(len(found), dtype=np.bool_)
    for chart in np.unique(charts).tolist():
        seam, rows = ends[charts == chart], found == chart
        axis = int(np.abs(seam[:, 0] - seam[:, 1]).mean(axis=(0, 1)).argmax())
        places = coordinates[rows][:, :, axis]
        at = places.ravel()[np.abs(places.ravel() - seam[..., axis].mean()).argmin()]
        side[rows] = places.mean(axis=1) > at
    return side
