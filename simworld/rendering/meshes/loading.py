"""Triangle meshes with levels of detail: the unit shapes, Wavefront OBJ files, and STL files.

Files that were read and simplified once are kept, in this process and on disk (`simworld.cache`).
"""

import hashlib
import itertools
import threading
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from simworld.cache import Arrays, cached
from simworld.geometry import Array
from simworld.places import announce, places
from simworld.rendering.meshes.leveled import leveled
from simworld.rendering.meshes.obj import Source, images_of, open_source, triangles_of
from simworld.rendering.meshes.packing import Groups, MeshGroup, MeshImage, packed, rounded, unpacked
from simworld.rendering.meshes.primitives import box, cylinder, is_closed, sphere
from simworld.rendering.meshes.shipped import shipped
from simworld.rendering.meshes.stl import triangles_of_stl
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

ASSETS = Path(__file__).parents[1] / "assets"
BOX = "box"
"""A cube from -1 to 1."""
SPHERE, CYLINDER = str(ASSETS / "sphere.obj"), str(ASSETS / "cylinder.obj")
"""A sphere of radius 1, and a cylinder about z of radius 1 from z = -1 to 1, within 0.3% of the true shapes."""

VERSION = 6
"""To be raised with every change of what is made from a file."""

COARSEST, FINEST, FULL = 6, 11, -1
"""Level k has the tolerance diagonal / 2 ** k, from the coarsest to the finest that is made."""

NO_IMAGES: Mapping[str, str] = MappingProxyType({})

FULL_MESH: Arrays = {"full": np.array(True)}
"""What is kept of such a level."""

FEW = 2000
"""Triangles of a mesh with images that are all drawn: levels would take longer to make than they save, as such things
are made in any number."""

UNIT_SHAPES: dict[str, Callable[[float], TriangleMesh | None]] = {SPHERE: sphere, CYLINDER: cylinder}


_loaded: dict[tuple[str, int, bool], Groups] = {}
_lock = threading.RLock()


def load_mesh(source: str, tolerance: float, textured: bool = False) -> Groups:
    """BOX, or an OBJ or STL file, such as SPHERE, by colour, with as few triangles as the tolerance allows.

    `tolerance` is the largest geometric error in the file's unit, 0 for full detail. For a file it is rounded down to a
    level; each is made once. If it is `textured`, groups have the images that its materials name, if any, and texture
    coordinates. A missing or broken file raises RenderError.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be 0 or more, got {tolerance}")
    if source == BOX:
        return (MeshGroup(box(), None),)
    if tolerance > 0 and source in UNIT_SHAPES:
        shape = UNIT_SHAPES[source](tolerance)
        return (MeshGroup(shape, None),) if shape else load_mesh(source, 0)
    with _lock:  # one thread simplifies, and the others find what it made
        level = _level(diagonal(source), tolerance) if tolerance > 0 else FULL
        if (source, level, textured) not in _loaded:
            _loaded[source, level, textured] = _load(source, level, textured)
        return _loaded[source, level, textured]


def stepped(source: str, tolerance: float) -> float:
    """A tolerance rounded down to that of a level of BOX or a file, or to the finest one that there is; 0 stays 0."""
    if source == BOX or tolerance == 0:
        return 0.0
    level = _level(diagonal(source), tolerance)
    return _tolerance(diagonal(source), level if level != FULL else FINEST)


def _level(diagonal: float, tolerance: float) -> int:
    """The coarsest level whose tolerance is not above the given one; FULL where none is."""
    for level in range(COARSEST, FINEST + 1):
        if _tolerance(diagonal, level) <= tolerance:
            return level
    return FULL


def _tolerance(diagonal: float, level: int) -> float:
    return diagonal / 2.0**level


def _load(source: str, level: int, textured: bool) -> Groups:
    images = _images(source) if textured else {}
    if level == FULL:
        return unpacked(_kept(source, "full", lambda: packed(_full(source, images)), images))
    full = load_mesh(source, 0, textured)
    if images and sum(len(group.mesh.triangles) for group in full) <= FEW:
        return full
    arrays = level_arrays(source, level, images)
    return full if arrays.keys() == FULL_MESH.keys() else unpacked(arrays)


def level_arrays(source: str, level: int, images: Mapping[str, str] = NO_IMAGES) -> Arrays:
    """A level of a file's mesh as `rounded` packs it, or FULL_MESH where that is drawn instead.

    Of its images those are shown that are given, by name, with their SHA-256.
    """
    return _kept(source, f"level {level}", lambda: _make(source, level, bool(images)), images)


def _full(source: str, images: Mapping[str, str]) -> Groups:
    if source.lower().endswith(".stl"):
        read = triangles_of_stl(_source(source))
    else:
        read = triangles_of(_source(source), images)
    groups = []
    for vertices, triangles, normals, color, image, coordinates in read:
        mesh = TriangleMesh(vertices, triangles, normals, is_closed(vertices, triangles), coordinates)
        groups.append(MeshGroup(mesh, color, MeshImage(image, images[image]) if image else None))
    return tuple(groups)


def _make(source: str, level: int, textured: bool) -> Arrays:
    full, tolerance = load_mesh(source, 0, textured), _tolerance(diagonal(source), level)
    announce("simplifying meshes", places())
    groups = leveled(full, tolerance)
    return FULL_MESH if groups is None else rounded(packed(groups))


@cache
def _images(source: str) -> Mapping[str, str]:
    return images_of(_source(source))


@lru_cache(maxsize=1)  # the key and the mesh are made of the same bytes, which need not be kept
def _source(path: str) -> Source:
    return open_source(path)


@cache
def mesh_bounds(source: str) -> Array:
    """Lowest and highest corner (2, 3) of BOX or a file, in its unit, without reading its mesh where they are kept."""
    if source == BOX:
        return np.array([[-1.0] * 3, [1.0] * 3])

    def measure() -> Arrays:
        vertices = np.concatenate([group.mesh.vertices for group in load_mesh(source, 0)])
        return {"bounds": np.stack([vertices.min(axis=0), vertices.max(axis=0)])}

    return _kept(source, "bounds", measure)["bounds"]


@cache
def diagonal(source: str) -> float:
    """The length of the diagonal of the bounds of BOX or a file."""
    low, high = mesh_bounds(source)
    return float(np.linalg.norm(high - low))


def _kept(source: str, what: str, make: Callable[[], Arrays], images: Mapping[str, str] = NO_IMAGES) -> Arrays:
    """What is made from a file, shipped or from the disk cache where they hold it for the same bytes."""
    what = " ".join([what, *itertools.chain.from_iterable(sorted(images.items()))])
    made = shipped(mesh_key(source), VERSION, what)
    return made if made is not None else cached(b"%d %s %s" % (VERSION, what.encode(), mesh_key(source)), make)


@cache
def mesh_key(path: str) -> bytes:
    """A digest of all that was read for a mesh."""
    source = _source(path)
    state = hashlib.blake2b(digest_size=32)
    for part in (source.text, *source.materials):
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()
