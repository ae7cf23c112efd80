"""Triangle meshes: the unit shapes, and Wavefront OBJ files, read once per process."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array

ASSETS = Path(__file__).parent / "assets"
SPHERE, CYLINDER = str(ASSETS / "sphere.obj"), str(ASSETS / "cylinder.obj")
"""A sphere of radius 1, and a cylinder about z of radius 1 from z = -1 to 1, within 0.3% of the true shapes."""


@dataclass(frozen=True)
class TriangleMesh:
    """Vertices (n, 3) in metres with normals (n, 3), and triangles (m, 3), counterclockwise from outside."""

    vertices: Array
    normals: Array
    triangles: NDArray[np.int64]


@cache
def unit_box() -> TriangleMesh:
    """A cube from -1 to 1, with a vertex for each corner of each face."""
    vertices: list[Array] = []
    normals: list[Array] = []
    triangles: list[tuple[int, int, int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal, one, other = np.zeros(3), np.zeros(3), np.zeros(3)
            normal[axis], one[(axis + 1) % 3], other[(axis + 2) % 3] = sign, sign, 1.0
            corners = [normal - one - other, normal + one - other, normal + one + other, normal - one + other]
            first = len(vertices)
            vertices += corners
            normals += [normal] * 4
            triangles += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    return TriangleMesh(np.array(vertices), np.array(normals), np.array(triangles))


@cache
def load_obj(path: str) -> TriangleMesh:
    """Read a Wavefront OBJ file, once per process; faces without normals are flat.

    A missing or broken file raises RenderError.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _parse_obj(file)
    except (OSError, ValueError, IndexError) as error:
        raise RenderError(f"cannot read mesh {path}: {error}") from None


def _parse_obj(lines: Iterable[str]) -> TriangleMesh:
    positions: list[list[float]] = []
    directions: list[list[float]] = []
    corners: list[tuple[int, int]] = []
    for line in lines:
        kind, *words = line.split() or [""]
        if kind == "v":
            positions.append([float(word) for word in words[:3]])
        elif kind == "vn":
            directions.append([float(word) for word in words[:3]])
        elif kind == "f":
            face = [_corner(word, len(positions), len(directions)) for word in words]
            for second, third in itertools.pairwise(face[1:]):
                corners += [face[0], second, third]
    if not corners:
        raise ValueError("there are no faces in it")
    points, index = np.array(positions), np.array(corners)
    unique, inverse = np.unique(index, axis=0, return_inverse=True)
    if directions and (index[:, 1] >= 0).all():
        return TriangleMesh(points[unique[:, 0]], np.array(directions)[unique[:, 1]], inverse.reshape(-1, 3))
    vertices = points[index[:, 0]]
    a, b, c = vertices.reshape(-1, 3, 3).transpose(1, 0, 2)
    flat = np.cross(b - a, c - a)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.where(length > 0, flat / np.maximum(length, 1e-30), [0.0, 0.0, 1.0])
    return TriangleMesh(vertices, np.repeat(flat, 3, axis=0), np.arange(len(vertices)).reshape(-1, 3))


def _corner(word: str, positions: int, normals: int) -> tuple[int, int]:
    """Indices of a face's corner, from 0: its position, and its normal or -1."""
    parts = word.split("/")
    position = int(parts[0])
    normal = int(parts[2]) if len(parts) > 2 and parts[2] else 0
    return (
        position - 1 if position > 0 else positions + position,
        normal - 1 if normal > 0 else normals + normal if normal else -1,
    )
