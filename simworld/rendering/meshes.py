"""Triangle meshes of round primitives, fine enough that their silhouettes are those of the true shapes."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array

SEGMENTS = 40
"""Sides around the axis: the silhouette lies within 0.3% of the radius."""


@dataclass(frozen=True)
class TriangleMesh:
    """Vertices (n, 3) in metres with normals (n, 3), and triangles (m, 3), counterclockwise from outside."""

    vertices: Array
    normals: Array
    triangles: NDArray[np.int64]


@cache
def unit_sphere() -> TriangleMesh:
    """A sphere of radius 1 by rings of latitude."""
    rings = SEGMENTS // 2
    polar = np.linspace(0, np.pi, rings + 1)[:, None]
    turn = np.linspace(0, 2 * np.pi, SEGMENTS + 1)[None, :]
    ones = np.ones_like(turn)
    points = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar) * ones], axis=-1)
    vertices = points.reshape(-1, 3)
    return TriangleMesh(vertices, vertices, _grid(rings, SEGMENTS))


@cache
def unit_cylinder() -> TriangleMesh:
    """A cylinder about z of radius 1, from z = -1 to 1: its side, then its two caps."""
    turn = np.linspace(0, 2 * np.pi, SEGMENTS + 1)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    zeros = np.zeros((len(circle), 1))
    rims = [np.concatenate([circle, np.full_like(zeros, z)], axis=1) for z in (1.0, -1.0)]
    side_normals = np.concatenate([circle, zeros], axis=1)
    vertices, normals = [*rims], [side_normals, side_normals]
    triangles = [_grid(1, SEGMENTS)]
    for rim, z in zip(rims, (1.0, -1.0), strict=True):
        first = sum(len(part) for part in vertices)
        a = np.arange(SEGMENTS) + first
        fan = np.stack([a, a + 1, np.full_like(a, first + len(rim))], axis=1)
        triangles.append(fan if z > 0 else fan[:, ::-1])
        vertices.append(np.concatenate([rim, [[0.0, 0.0, z]]]))
        normals.append(np.tile([0.0, 0.0, z], (len(rim) + 1, 1)))
    return TriangleMesh(np.concatenate(vertices), np.concatenate(normals), np.concatenate(triangles))


def _grid(rows: int, columns: int) -> NDArray[np.int64]:
    """Triangles of a grid of (rows + 1) x (columns + 1) vertices, row by row."""
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)[None, :]).ravel()
    below = first + columns + 1
    return np.concatenate(
        [np.stack([first, below, first + 1], axis=1), np.stack([first + 1, below, below + 1], axis=1)]
    )
