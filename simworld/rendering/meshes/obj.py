"""Wavefront OBJ files: the triangles, their normals, and the colours and images of their materials.

Renderers read them without trimesh, which imports need: making and showing an environment needs no extra.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.plain import Color
from simworld.reading import read_bytes
from simworld.rendering.meshes.mtl import Look, beside, looks_of
from simworld.rendering.meshes.simplify.distance import face_normals

_LARGEST = 1e30
"""What a coordinate may be at most, so that no area overflows."""

_FARTHEST = 1e6
"""What a texture coordinate may be at most: there would be nothing left of where in an image it is."""

_FLAT = 1e-10
"""A triangle's area over its longest side squared, below which it is a line."""


class Triangles(NamedTuple):
    """A part of a file that looks alike.

    Vertices (n, 3), triangles (m, 3), normals (m, 3, 3) of their corners, colour, and where there is an `image`, the
    name of a file, where in it the corners are: `coordinates` (m, 3, 2), each once around, right and down from its
    upper left.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    normals: Array
    color: Color | None
    image: str = ""
    coordinates: Array | None = None


@dataclass
class Source:
    """The bytes of an OBJ file and of the .mtl files that it names and that exist."""

    path: Path
    text: bytes
    materials: list[bytes]


@dataclass
class _Reading:
    """What has been read so far, and triangles of (position, normal, coordinate) with their material."""

    positions: list[tuple[float, ...]] = field(default_factory=list)
    normals: list[tuple[float, ...]] = field(default_factory=list)
    coordinates: list[tuple[float, ...]] = field(default_factory=list)
    corners: list[tuple[int, int, int]] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    names: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    current: int = 0


def open_source(path: str) -> Source:
    """Read a file and its materials; a missing .mtl file is left out, a missing OBJ file raises RenderError."""
    try:
        text = read_bytes(path)
    except OSError as error:
        raise RenderError(f"cannot read mesh {path}: {error.strerror or error}") from None
    materials = []
    for found in re.finditer(rb"mtllib[ \t]+([^\r\n]+)", text):
        if text[text.rfind(b"\n", 0, found.start()) + 1 : found.start()].strip():
            continue
        library = Path(path).parent / found[1].strip().decode("utf-8", "replace").replace("\\", "/")
        if b"\0" not in found[1] and library.is_file():
            materials.append(read_bytes(library))
    return Source(Path(path), text, materials)


def images_of(source: Source) -> dict[str, str]:
    """The SHA-256 of each image that a file's materials name; one that is missing, or not below it, is left out."""
    found = {}
    for name in sorted({look.image for look in looks_of(source.materials).values()}):
        if path := beside(source.path.parent, name):
            found[name] = hashlib.sha256(read_bytes(path)).hexdigest()
    return found


def triangles_of(source: Source, images: Collection[str] = ()) -> list[Triangles]:
    """The triangles of each colour, and each of those `images` that materials name, of a file.

    Vertices are welded by position, and polygons are cut into fans. Triangles without area are left out. A normal that
    is missing, zero or not on the side of its triangle is the triangle's own. What has an image but no coordinates in
    it has its colour alone. A broken file raises RenderError.
    """
    read = _read(source)
    vertices, inverse = np.unique(np.array(read.positions) + 0.0, axis=0, return_inverse=True)  # + 0.0: no -0.0
    corners = np.array(read.corners, dtype=np.int64).reshape(-1, 3, 3)
    triangles = inverse.ravel()[corners[:, :, 0]]
    kept = has_area(vertices[triangles])
    if not kept.any():
        raise RenderError(f"cannot read mesh {source.path}: no face of it has an area")
    triangles, corners = triangles[kept], corners[kept]
    given = np.array([*read.normals, (0.0, 0.0, 0.0)])[corners[:, :, 1]]  # -1, the last, is a missing one
    normals = _sided(given, face_normals(vertices, triangles))
    coordinates = np.array([*read.coordinates, (np.nan, np.nan)])[corners[:, :, 2]]
    placed = (np.abs(coordinates) <= _FARTHEST).all(axis=(1, 2))
    looks = _looks(source, list(read.names), images)
    used = 2 * np.array(read.used)[kept] + placed
    groups = []
    for look in dict.fromkeys(looks[k] for k in dict.fromkeys(used.tolist())):
        rows = np.isin(used, [k for k, other in enumerate(looks) if other == look])
        index, local = np.unique(triangles[rows], return_inverse=True)
        places = coordinates[rows] * (1, -1) + (0, 1) if look.image else None
        shape = local.reshape(-1, 3).astype(np.int64)
        groups.append(Triangles(vertices[index], shape, normals[rows], look.color, look.image, places))
    return groups


def _looks(source: Source, names: list[str | None], images: Collection[str]) -> list[Look]:
    """Of each material, how what has no texture coordinates looks, then what has some."""
    known = looks_of(source.materials)
    found = []
    for name in names:
        look = known.get(name, Look()) if name is not None else Look()
        found += [look._replace(image=""), look if look.image in images else look._replace(image="")]
    return found


def has_area(corners: Array) -> NDArray[np.bool_]:
    """Which triangles, by their corners (m, 3, 3), are no lines."""
    a, b, c = corners.transpose(1, 0, 2)
    longest = np.max([((b - a) ** 2).sum(1), ((c - b) ** 2).sum(1), ((a - c) ** 2).sum(1)], axis=0)
    kept: NDArray[np.bool_] = np.linalg.norm(np.cross(b - a, c - a), axis=1) > _FLAT * longest
    return kept


def _sided(normals: Array, faces: Array) -> Array:
    """Unit normals (m, 3, 3), those of the faces (m, 3) where they are zero, not finite or on the other side."""
    length = np.linalg.norm(np.nan_to_num(normals, nan=0.0, posinf=0.0, neginf=0.0), axis=2, keepdims=True)
    unit = np.divide(normals, length, out=np.zeros_like(normals), where=(length > 1e-6) & np.isfinite(normals))
    agrees = (unit * faces[:, None, :]).sum(axis=2, keepdims=True) > 0
    return np.where(agrees, unit, faces[:, None, :])


def _read(source: Source) -> _Reading:
    if b"\0" in source.text:
        raise RenderError(f"cannot read mesh {source.path}: it is not a text file")
    read = _Reading()
    text = source.text.decode("utf-8-sig", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
    for number, line in enumerate(text.split("\n"), start=1):
        kind, *words = line.split("#", 1)[0].split() or [""]
        try:
            _take(read, kind, words)
        except ValueError as error:
            raise RenderError(f"cannot read mesh {source.path}: line {number}: {error}") from None
    if not read.corners:
        raise RenderError(f"cannot read mesh {source.path}: there are no faces in it")
    return read


def _take(read: _Reading, kind: str, words: list[str]) -> None:
    """Take one line; ValueError says what is wrong with it."""
    if kind == "v":
        position = _three(words)
        if not all(abs(x) < _LARGEST for x in position):
            raise ValueError(f"coordinates have to be finite and below {_LARGEST:g}, and are {' '.join(words[:3])}")
        read.positions.append(position)
    elif kind == "vn":
        read.normals.append(_three(words))
    elif kind == "vt":
        if not words:
            raise ValueError("a texture coordinate needs a number, and has none")
        read.coordinates.append((float(words[0]), float(words[1]) if len(words) > 1 else 0.0))
    elif kind == "f":
        if len(words) < 3:
            raise ValueError(f"a face needs three corners, and has {len(words)}")
        corners = [_corner(word, read) for word in words]
        for k in range(1, len(corners) - 1):
            read.corners += (corners[0], corners[k], corners[k + 1])
            read.used.append(read.current)
    elif kind == "usemtl":
        read.current = read.names.setdefault(" ".join(words), len(read.names))


def _three(words: list[str]) -> tuple[float, ...]:
    if len(words) < 3:
        raise ValueError(f"three numbers are needed, and there are {len(words)}")
    return float(words[0]), float(words[1]), float(words[2])


def _corner(word: str, read: _Reading) -> tuple[int, int, int]:
    """Rows of a face's corner: of its position, and of its normal and its texture coordinates or -1."""
    parts = word.split("/")
    normal = _row(parts[2], len(read.normals), "normal") if len(parts) > 2 and parts[2] else -1
    place = _row(parts[1], len(read.coordinates), "texture coordinate") if len(parts) > 1 and parts[1] else -1
    return _row(parts[0], len(read.positions), "vertex"), normal, place


def _row(word: str, count: int, what: str) -> int:
    index = int(word)
    row = index - 1 if index > 0 else count + index
    if index == 0 or not 0 <= row < count:
        raise ValueError(f"{what} {index} is not among the {count} above it")
    return row
