"""Groups of meshes as arrays to be kept in files."""

import itertools
from typing import NamedTuple

import numpy as np

from simworld.cache import Arrays
from simworld.geometry import Array
from simworld.plain import Color
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

_MOST = 32767


class MeshImage(NamedTuple):
    """An image file by its name, from the folder of the mesh on, and its SHA-256 (hexadecimal)."""

    name: str
    sha256: str


class MeshGroup(NamedTuple):
    """The part of a mesh with one look.

    Its colour is the sRGB Kd in the .mtl file, None where that names none; an image, at the coordinates of the mesh,
    stands in place of it.
    """

    mesh: TriangleMesh
    color: Color | None
    image: MeshImage | None = None


Groups = tuple[MeshGroup, ...]


def packed(groups: Groups) -> Arrays:
    """Groups as arrays, exactly."""
    meshes = [group.mesh for group in groups]
    arrays = {
        "vertices": np.concatenate([mesh.vertices for mesh in meshes]),
        "triangles": np.concatenate([mesh.triangles for mesh in meshes]),
        "normals": np.concatenate([mesh.normals for mesh in meshes]),
        "starts": np.cumsum([(0, 0), *((len(mesh.vertices), len(mesh.triangles)) for mesh in meshes)], axis=0),
        "closed": np.array([mesh.closed for mesh in meshes]),
        "colors": np.array([group.color or (np.nan,) * 3 for group in groups]),
    }
    if any(group.image for group in groups):
        arrays["coordinates"] = np.concatenate([placed(mesh) for mesh in meshes])
        arrays["images"] = np.array([group.image or ("", "") for group in groups])
    return arrays


def placed(mesh: TriangleMesh) -> Array:
    """The texture coordinates (m, 3, 2) of a mesh, NaN where it has none."""
    return np.full((len(mesh.triangles), 3, 2), np.nan) if mesh.coordinates is None else mesh.coordinates


def rounded(arrays: Arrays) -> Arrays:
    """What `packed` gives in a quarter of the space: places to a ten-millionth, normals to a ten-thousandth."""
    few = len(arrays["vertices"]) <= np.iinfo(np.uint16).max
    whole = {name: arrays[name].astype(np.float32) for name in ("vertices", "coordinates") if name in arrays}
    return (
        arrays
        | whole
        | {
            "triangles": arrays["triangles"].astype(np.uint16 if few else np.uint32),
            "normals": np.rint(arrays["normals"] * _MOST).astype(np.int16),
        }
    )


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
        shape = vertices[start[0] : end[0]], triangles[rows], normals[rows], bool(arrays["closed"][k])
        name, sha256 = arrays["images"][k].tolist() if "images" in arrays else ("", "")
        mesh = TriangleMesh(*shape, arrays["coordinates"][rows].astype(np.float64) if name else None)
        r, g, b = arrays["colors"][k].tolist()
        groups.append(MeshGroup(mesh, None if np.isnan(r) else (r, g, b), MeshImage(name, sha256) if name else None))
    return tuple(groups)
