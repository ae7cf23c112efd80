"""Mesh files of usual formats as triangles with colours, read by trimesh; nothing in a file can execute code."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.assets.importing.colors import face_colors, fine_enough, own_image
from simworld.errors import ConfigurationError
from simworld.extras import extras
from simworld.geometry import Array
from simworld.reading import read_bytes

FORMATS = ("dae", "glb", "gltf", "obj", "off", "ply", "stl")
"""The suffixes that are read, in lower case; others have formats that can hold programs, or that nobody has checked."""

MOST_TEXELS = 1024
"""Texels along a side to which larger images are reduced."""

MOST_BYTES, MOST_TRIANGLES = 512 << 20, 20_000_000
"""How large a file may be, and how many triangles it may have."""


class MeshData(NamedTuple):
    """Triangles as a file has them: nothing about them is checked but that they can be drawn.

    `vertices` (n, 3) finite, in the file's unit; `triangles` (m, 3) with indices below n; `colors` (m, 3) sRGB in 0..1,
    NaN where the file names none. `unit` is in metres, where the file says it; `files` are the bytes of all that was
    read, by name, and `missing` the names of files that are not there. `texture` (m, 3, 3) says where corners are in
    which of the `images`, PNG files: right and up from its lower left, each 1 long, and its number; NaN for none.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    colors: Array
    unit: float | None = None
    files: Mapping[str, bytes] = MappingProxyType({})
    missing: tuple[str, ...] = ()
    texture: Array | None = None
    images: tuple[bytes, ...] = ()


def needed(package: str) -> Any:
    """A package of the extra for imports."""
    with extras():
        return import_module(package)


def read_mesh(path: Path, textured: bool = False) -> MeshData:
    """All triangles of a mesh file, in one frame. ConfigurationError says in one line why a file cannot be read.

    If it is not to be `textured`, large triangles are cut until their colours show what images do.

    Files that it names, such as materials, textures and buffers, are read from its own folder and below.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigurationError(f"{path}: its suffix must be one of {list(FORMATS)}, got {path.suffix!r}")
    trimesh = needed("trimesh")
    if kind == "dae":
        needed("collada")
    beside = _Beside(path.parent)
    try:
        files = {path.name: read_bytes(path, MOST_BYTES)}
        with _quietly():
            scene = trimesh.load_scene(BytesIO(files[path.name]), file_type=kind, resolver=beside, process=False)
            joined = _joined(scene, kind in ("glb", "gltf"), textured)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ImportError:  # of what would guess the encoding of a text
        raise ConfigurationError(f"{path}: not a mesh: it is cut short, or text of an unknown encoding") from None
    except Exception as error:  # whatever a parser meets in a file that anybody may have written
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigurationError(f"{path}: not a mesh: {reason}") from None
    _check(path, joined.vertices, joined.triangles)
    missing = tuple(dict.fromkeys(beside.missing))
    return joined._replace(unit=_unit(scene, kind), files=files | beside.files, missing=missing)


def _joined(scene: Any, linear: bool, textured: bool) -> MeshData:
    """The geometries of a trimesh scene, each where the scene has it."""
    parts: list[tuple[Array, NDArray[np.int64], Array, Array]] = [
        (np.empty((0, 3)), np.empty((0, 3), dtype=np.int64), np.empty((0, 3)), np.empty((0, 3, 3)))
    ]
    images: dict[bytes, int] = {}
    start = 0
    for node in sorted(scene.graph.nodes_geometry):
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        if not hasattr(mesh, "faces"):  # points and lines have none
            continue
        mesh = mesh if textured else fine_enough(mesh)
        vertices = np.asarray(mesh.vertices, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3]
        triangles = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
        colors, texture = face_colors(mesh, linear), np.full((len(triangles), 3, 3), np.nan)
        if textured and (image := own_image(mesh, linear)) is not None:
            image.thumbnail((MOST_TEXELS, MOST_TEXELS))
            texture[..., :2] = np.asarray(mesh.visual.uv, dtype=float)[triangles]
            texture[..., 2] = images.setdefault(_png(image), len(images))
            colors = np.tile(np.asarray(image).reshape(-1, 3).mean(axis=0) / 255, (len(triangles), 1))
        if np.linalg.det(matrix[:3, :3]) < 0:  # a mirror turns them inside out
            triangles, texture = triangles[:, ::-1], texture[:, ::-1]
        parts.append((vertices, triangles + start, colors, texture))
        start += len(vertices)
    vertices, triangles, colors, texture = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return MeshData(vertices, triangles, colors, texture=texture if images else None, images=tuple(images))


def _png(image: Any) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _check(path: Path, vertices: Array, triangles: NDArray[np.int64]) -> None:
    if not len(triangles):
        raise ConfigurationError(f"{path}: there are no faces in it")
    if len(triangles) > MOST_TRIANGLES:
        raise ConfigurationError(f"{path}: must have at most {MOST_TRIANGLES:,} triangles, got {len(triangles):,}")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise ConfigurationError(f"{path}: a face has vertex {triangles.max():,} of {len(vertices):,}")
    wrong = ~np.isfinite(vertices).all(axis=1)
    if wrong.any():
        first = vertices[int(np.flatnonzero(wrong)[0])].tolist()
        more = f" and {int(wrong.sum()) - 1:,} more" if wrong.sum() > 1 else ""
        raise ConfigurationError(f"{path}: vertices must be finite, got {first}{more}")


def _unit(scene: Any, kind: str) -> float | None:
    """Metres in the unit of a file that says so: glTF always has metres, and COLLADA names its unit."""
    if kind in ("glb", "gltf"):
        return 1.0
    if kind != "dae":
        return None
    units = {str(mesh.metadata.get("units", "")) for mesh in scene.geometry.values()}
    times, _, word = (units.pop() if len(units) == 1 else "").rpartition(" * ")
    try:
        return float(times or 1) if word == "meters" else None
    except ValueError:
        return None


class _Beside(Mapping[str, bytes]):
    """The files in a folder and below that a mesh file names, which is where parsers look for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.files: dict[str, bytes] = {}
        self.missing: list[str] = []

    def __getitem__(self, key: str) -> bytes:
        name = key.strip().replace("\\", "/")
        for place in (name, name.rpartition("/")[2]):  # exporters name places on their own machine
            path = (self._folder / place).resolve()
            if path.is_relative_to(self._folder) and path.is_file():
                self.files[place] = read_bytes(path, MOST_BYTES)
                return self.files[place]
        self.missing.append(name)
        raise FileNotFoundError(f"{name} is not in the folder")

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what parsers say of files while they read: what counts is in the error, or the report."""
    logger = logging.getLogger("trimesh")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before
