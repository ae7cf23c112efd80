"""STL files, binary and text: triangles without colour, whose normals are made from the shape."""

import re

import numpy as np

from simworld.assets.importing.object_writing import corner_normals
from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.meshes.obj import Source, Triangles, has_area

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER, _COUNT = 80, 4


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
    return [Triangles(vertices, triangles, corner_normals(vertices, triangles), None)]


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
