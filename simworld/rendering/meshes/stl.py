"""STL files, binary and text: triangles without colour, whose normals are made from the shape."""

import re

import numpy as np

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.meshes.obj import Source, Triangles, has_area
from simworld.rendering.meshes.simplify.distance import Index, face_normals

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER, _COUNT = 80, 4
_SMOOTH = np.cos(np.radians(35))
"""Cosine of the angle between triangles up to which the surface is taken to be round."""


def triangles_of_stl(source: Source) -> list[Triangles]:
    """The one group of a file, as `triangles_of` gives those of an OBJ file; a broken file raises RenderError."""
    corners = _corners(source)
    if len(corners) == 0 or not np.isfinite(corners).all():
        what = "a coordinate is not finite" if len(corners) else "there are no faces in it"
        raise RenderError(f"cannot read mesh {source.path}: {what}")
    corners = corners[has_area(corners)]
    if not len(corners):
        raise RenderError(f"cannot read mesh {source.path}: no face of it has an area")
    vertices, inverse = np.unique(corners.reshape(-1, 3) + 0.0, axis=0, return_inverse=True)  # + 0.0: no -0.0
    triangles = inverse.reshape(-1, 3).astype(np.int64)
    return [(vertices, triangles, _normals(vertices, triangles), None)]


def _corners(source: Source) -> Array:
    """The corners (m, 3, 3) of all triangles."""
    data = source.text
    count = int.from_bytes(data[_HEADER : _HEADER + _COUNT], "little")
    start = _HEADER + _COUNT
    if len(data) >= start and len(data) == start + count * _RECORD.itemsize:
        return np.asarray(np.frombuffer(data, _RECORD, count, start)["corners"], dtype=float)
    if not data.lstrip().startswith(b"solid"):
        raise RenderError(f"cannot read mesh {source.path}: it is no STL file, or not all of it")
    words = re.findall(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", data)
    try:
        return np.array(words, dtype=float).reshape(-1, 3, 3)
    except ValueError:
        raise RenderError(f"cannot read mesh {source.path}: a face is not three vertices of three numbers") from None


def _normals(vertices: Array, triangles: Index) -> Array:
    """Unit normals (m, 3, 3) of corners: the mean, by area, of the triangles around that are nearly as it is."""
    faces = face_normals(vertices, triangles)
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    weighted = faces * np.linalg.norm(np.cross(b - a, c - a), axis=1, keepdims=True)
    own, other = _meeting(triangles)
    near = np.einsum("ij,ij->i", faces[own // 3], faces[other // 3]) >= _SMOOTH
    own, other = own[near], other[near]
    summed = np.stack([np.bincount(own, weighted[other // 3, k], triangles.size) for k in range(3)], axis=1)
    unit: Array = summed / np.linalg.norm(summed, axis=1, keepdims=True)
    return unit.reshape(-1, 3, 3)


def _meeting(triangles: Index) -> tuple[Index, Index]:
    """All pairs of corners, numbered in the order of the triangles, that are at the same vertex."""
    at = triangles.ravel()
    order = np.argsort(at, kind="stable")
    counts = np.bincount(at)
    starts = np.cumsum(counts) - counts
    times = counts[at[order]]
    own = np.repeat(order, times)
    ends = np.cumsum(times)
    place = np.arange(len(own)) - np.repeat(ends - times, times)
    other = order[np.repeat(starts[at[order]], times) + place]
    return own, other
