"""Groups of meshes as arrays to be kept in files."""

import itertools
from typing import NamedTuple

import numpy as np

from simworld.cache import Arrays
from simworld.plain import Color
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

_MOST = 32767


class MeshGroup(NamedTuple):
    """The part of a mesh with one colour: the sRGB Kd in the .mtl file, None where the file names none."""

    mesh: TriangleMesh
    color: Color | None


Groups = tuple[MeshGroup, ...]


def packed(groups: Groups) -> Arrays:
    """Groups as arrays, exactly."""
    meshes = [group.mesh for group in groups]
    return {
        "vertices": np.concatenate([mesh.vertices for mesh in meshes]),
        "triangles": np.concatenate([mesh.triangles for mesh in meshes]),
        "normals": np.concatenate([mesh.normals for mesh in meshes]),
        "starts": np.cumsum([(0, 0), *((len(mesh.vertices), len(mesh.triangles)) for mesh in meshes)], axis=0),
        "closed": np.array([mesh.closed for mesh in meshes]),
        "colors": np.array([group.color or (np.nan,) * 3 for group in groups]),
    }


def rounded(arrays: Arrays) -> Arrays:
    """What `packed` gives in a quarter of the space: places to a ten-millionth, normals to a ten-thousandth."""
    few = len(arrays["vertices"]) <= np.iinfo(np.uint16).max
    return arrays | {
        "vertices": arrays["vertices"].astype(np.float32),
        "triangles": arrays["triangles"].astype(np.uint16 if few else np.uint32),
        "normals": np.rint(arrays["normals"] * _MOST).astype(np.int16),
    }


def unpacked(arrays: Arrays) -> Groups:
    """The groups that `packed` or `rounded` made into arrays."""
    vertices, triangles = arrays["vertices"].astype(np.float64), arrays["triangles"].astype(np.int64)
    normals = arrays["normals"]
    if normals.dtype == np.int16:
        whole = normals.astype(np.float64)
        normals = whole / np.sqrt((whole * whole).sum(axis=-1, keepdims=True))
    groups = []
    for k, (start, end) in enumerate(itertools.pairwise(arrays["starts"])):
        rows = slice(start[1], end[1])
        mesh = TriangleMesh(vertices[start[0] : end[0]], triangles[rows], normals[rows], bool(arrays["closed"][k]))
        r, g, b = arrays["colors"][k].tolist()
        groups.append(MeshGroup(mesh, None if np.isnan(r) else (r, g, b)))
    return tuple(groups)
