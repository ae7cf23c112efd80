"""Texture coordinates of simplified surfaces, and how far off they put a texture."""

from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.kernels import jit
from simworld.rendering.meshes.simplify.distance import (
    DistanceSurface,
    Index,
    build_hierarchy,
    face_normals,
    nearest,
)

_LEAST = 1e-6
"""Share of an image that a surface is taken to show at the least: a palette's colours are points."""


def carried_coordinates(given: DistanceSurface, coordinates: Array, simple: DistanceSurface, slack: float) -> Array:
    """Texture coordinates (k, 3, 2) at the corners of a surface, from those (m, 3, 2) of a given one, label by label.

    A corner has the place at which it is on the plane of the given triangle that is nearest to a point by it, up to
    `slack` into its triangle: at the pole of a sphere coordinates differ from triangle to triangle.
    """
    cells = simple.vertices[simple.triangles]
    inwards = cells.mean(axis=1, keepdims=True) - cells
    length = np.linalg.norm(inwards, axis=2, keepdims=True)
    points = cells + inwards * np.minimum(slack / np.maximum(length, 1e-300), 1 / 3)
    rows = _nearest_rows(points, simple, given)
    return _at(cells.reshape(-1, 3), given.vertices[given.triangles[rows]], coordinates[rows]).reshape(-1, 3, 2)


def slips(given: DistanceSurface, coordinates: Array, simple: DistanceSurface, placed: Array) -> Array:
    """How far (m,) a simplified surface moves a texture along the given one, in the middle of its triangles.

    `coordinates` (m, 3, 2) are those of the one, `placed` (k, 3, 2) those of the other; where there are none it is NaN.
    Where a texture is stretched so much that little of it is seen, what it moves by counts as where it is not.
    """
    cells = given.vertices[given.triangles]
    middles = cells.mean(axis=1)
    rows = _nearest_rows(middles[:, None], given, simple)
    found = _at(middles, simple.vertices[simple.triangles[rows]], placed[rows])
    off = found - coordinates.mean(axis=1)
    one, other = (coordinates[:, k] - coordinates[:, 0] for k in (1, 2))
    area = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):  # where all of a triangle is at one place
        s = (off[:, 0] * other[:, 1] - off[:, 1] * other[:, 0]) / area
        t = (one[:, 0] * off[:, 1] - one[:, 1] * off[:, 0]) / area
        across = s[:, None] * (cells[:, 1] - cells[:, 0]) + t[:, None] * (cells[:, 2] - cells[:, 0])
    whole = np.linalg.norm(np.cross(cells[:, 1] - cells[:, 0], cells[:, 2] - cells[:, 0]), axis=1)
    usual = whole.sum() / max(np.nansum(abs(area)), _LEAST)
    return np.asarray(np.fmin(np.linalg.norm(across, axis=1), np.sqrt(usual) * np.linalg.norm(off, axis=1)))


def _nearest_rows(points: Array, owner: DistanceSurface, other: DistanceSurface) -> Index:
    """The triangle of `other` nearest to each of `points` (m, k, 3), of the label of that of `owner` which has it."""
    count = points.shape[1]
    labels = np.repeat(owner.labels, count)
    facing = np.repeat(face_normals(owner.vertices, owner.triangles), count, axis=0)
    tree = build_hierarchy(other)
    return np.asarray(tree.row[_nearest_leaves(points.reshape(-1, 3), labels, facing, *tree)])


@jit
def _nearest_leaves(
    points: Any, wanted: Any, facing: Any, corners: Any, normals: Any, labels: Any, row: Any, boxes: Any
) -> Any:
    """The leaf (s,) of the triangle that is nearest to each point, of its label, that faces its side if one does."""
    tree, stack, aside = (corners, normals, labels, boxes), np.empty(64, np.int64), np.zeros(3)
    out = np.empty(points.shape[0], np.int64)
    for i in range(points.shape[0]):
        leaf = nearest(points[i], wanted[i], facing[i], 0.0, np.inf, tree, stack)[1]
        if leaf < 0:
            leaf = nearest(points[i], wanted[i], aside, 0.0, np.inf, tree, stack)[1]
        out[i] = leaf
    return out


def _at(points: Array, cells: Array, values: Array) -> Array:
    """What is linear in the plane of each triangle (n, 3, 3), with `values` (n, 3, 2) at its corners, at points."""
    u, v, w = cells[:, 1] - cells[:, 0], cells[:, 2] - cells[:, 0], points - cells[:, 0]
    uu, uv, vv = (u * u).sum(axis=1), (u * v).sum(axis=1), (v * v).sum(axis=1)
    wu, wv = (w * u).sum(axis=1), (w * v).sum(axis=1)
    area = np.maximum(uu * vv - uv * uv, 1e-300)
    s, t = ((wu * vv - wv * uv) / area)[:, None], ((wv * uu - wu * uv) / area)[:, None]
    return np.asarray(values[:, 0] + s * (values[:, 1] - values[:, 0]) + t * (values[:, 2] - values[:, 0]))
