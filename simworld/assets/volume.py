"""Integrals over what a surface encloses."""

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array


def volume_integrals(vertices: Array, triangles: NDArray[np.int64]) -> tuple[float, Array, Array]:
    """The integrals of 1, x and x x^T over what triangles enclose, by tetrahedra from one place (Tonon 2004)."""
    origin = vertices.mean(axis=0)
    corners = vertices[triangles] - origin
    volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    sums = corners.sum(axis=1)
    first = np.einsum("i,ij->j", volumes, sums) / 4
    products = np.einsum("ikj,ikl->ijl", corners, corners) + np.einsum("ij,il->ijl", sums, sums)
    second = np.einsum("i,ijl->jl", volumes, products) / 20
    volume = float(volumes.sum())
    moved = second + np.outer(first, origin) + np.outer(origin, first) + volume * np.outer(origin, origin)
    return volume, first + volume * origin, moved
