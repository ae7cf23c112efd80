"""A Scene as the arrays that the rasterizer draws: all that stays the same while it moves."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.color import to_linear
from simworld.geometry import Array, Vec3
from simworld.rendering.memory import kept
from simworld.rendering.meshes.loading import stepped
from simworld.rendering.meshes.packing import MeshGroup
from simworld.rendering.meshes.submesh import scaled
from simworld.rendering.meshes.triangle_mesh import TriangleMesh
from simworld.rendering.nearness import least_distances
from simworld.rendering.surfaces import Surface, surfaces
from simworld.rendering.textures.bank import Textures, textures_of
from simworld.rendering.textures.panorama import environment
from simworld.rendering.textures.pyramid import MOST_TEXELS
from simworld.scene.camera import Camera
from simworld.scene.material import Material, Texture
from simworld.scene.model import Scene

Float = NDArray[np.float32]
Whole = NDArray[np.int32]


class Geometry(NamedTuple):
    """Triangles by part: a part is one group of triangles of a surface, with one material.

    `vertices` (3, v) in their part's frame, metres; `triangles` (3, t) with their corners' `normals` (t, 3, 3) and
    texture `coordinates` (t, 3, 2), the `axes` (t,) of the frame that they look along most, their planes `facets`
    (t, 4), which are unit normals in the part's frame and what their products with points are there, and their
    `part_of` (t,). Part p has the vertices from `vertex_starts[p]` to the next, the triangles from
    `triangle_starts[p]`, is within `spheres[p]` (x, y, z, radius) of its frame, and what faces away of it is never seen
    if it is `closed`.
    """

    vertices: Annotated[Float, 2]
    vertex_starts: Annotated[Whole, 1]
    triangles: Annotated[NDArray[np.uint32], 2]
    triangle_starts: Annotated[Whole, 1]
    normals: Annotated[Float, 3]
    axes: Annotated[Whole, 1]
    facets: Annotated[Float, 2]
    part_of: Annotated[Whole, 1]
    spheres: Annotated[Float, 2]
    closed: Annotated[NDArray[np.bool_], 1]
    coordinates: Annotated[Float, 3]


class MaterialTable(NamedTuple):
    """Materials of the parts.

    `table` (p, 10): linear colour (3), the texture's linear colour (3), roughness squared, metallic, reflectance at
    normal incidence, and textures a metre. `texture` (p,) is a row of Textures, and is at the triangles' coordinates
    where it is `mapped` (p,), else across the axis that they look along most.
    """

    table: Annotated[Float, 2]
    texture: Annotated[Whole, 1]
    mapped: Annotated[NDArray[np.bool_], 1]


@dataclass(frozen=True)
class Casters:
    """What throws shadows: part p is at the pose `local[p]` (7,) on row `carrier[p]` of the link and body poses.

    Parts that are `fixed` never move; they come first.
    """

    geometry: Geometry
    local: Array
    carrier: NDArray[np.int64]
    fixed: NDArray[np.bool_]


@dataclass(frozen=True)
class DrawList(Casters):
    """What is drawn, of `full` meshes or fewer triangles.

    `instance` and `link` (p,) are what `segmentation` and `links` show; `backdrop` (n, n, 3) is behind all.
    """

    materials: MaterialTable
    textures: Textures
    instance: Whole
    link: Whole
    full: bool
    backdrop: Float


_BLACK = (0.0, 0.0, 0.0)
_MOST_LEVELS, _MOST_CAMERAS = 8, 64
_FINER = 1.5
"""Texels a pixel, at least half a level finer than which is the finest that is looked up."""
_LEAST_ROUGHNESS = 0.08
"""Smoother than this, highlights of lights without extent would be smaller than pixels and flicker."""


class Detail(NamedTuple):
    """What a camera needs of each surface (s,): the tolerance of its mesh, and the most texels a side of its images."""

    tolerances: tuple[float, ...]
    sides: tuple[int, ...]


class DrawLists:
    """The draw lists of a scene, in which all but meshes and their images is the same; threads may ask side by side.

    Meshes are within `error` pixels of the true ones as a camera sees them, full ones if it is 0, and of images there
    is what it can see. A broken mesh or texture raises RenderError.
    """

    def __init__(self, scene: Scene, error: float) -> None:
        self._scene = weakref.ref(scene)  # what is kept of a scene goes when it does
        self._error = error
        self._surfaces, self._background = _fixed_first(surfaces(scene)), scene.background
        self._lock = Lock()
        self._details: dict[Camera, Detail] = {}
        self._made: dict[Detail, DrawList] = {}
        self._shared: dict[str, Any] = {}

    def seen_by(self, camera: Camera) -> DrawList:
        """The one that a camera of its size needs; those that need the same detail have the same."""
        with self._lock:
            return kept(self._made, _MOST_LEVELS, kept(self._details, _MOST_CAMERAS, camera, self._detail), self._make)

    def _detail(self, camera: Camera) -> Detail:
        if self._error == 0:
            return Detail((0.0,) * len(self._surfaces), (MOST_TEXELS,) * len(self._surfaces))
        scene = self._scene()
        assert scene is not None
        pixels = least_distances(scene, self._surfaces, camera) / max(camera.fx, camera.fy)
        sides = (_side(surface, pixel) for surface, pixel in zip(self._surfaces, pixels.tolist(), strict=True))
        return Detail(_tolerances(self._surfaces, pixels * self._error), tuple(sides))

    def _make(self, detail: Detail) -> DrawList:
        parts, wanted = _parts(self._surfaces, detail.tolerances), zip(self._surfaces, *detail, strict=True)
        sides = [side for surface, tolerance, side in wanted for _ in surface.groups(tolerance)]
        materials, textures = _material_table(parts, sides)
        if not self._shared:
            self._shared = {
                "materials": materials,
                "instance": np.array([surface.instance for surface, _ in parts], dtype=np.int32),
                "full": self._error == 0,
                "backdrop": environment(self._background),
                "link": np.array([surface.link for surface, _ in parts], dtype=np.int32),
            }
        return DrawList(**_assembled(parts), textures=textures, **self._shared)


def _side(surface: Surface, pixel: float) -> int:
    """Texels a side, a power of two, of the finest level of a surface's images that pixels of so many metres show."""
    if not surface.own_images:
        return MOST_TEXELS
    needed = max(_spread(group.mesh) for group in surface.groups(0.0)) * max(surface.size) / pixel
    return min(1 << int(_FINER * needed).bit_length(), MOST_TEXELS)


@lru_cache(maxsize=1024)
def _spread(mesh: TriangleMesh) -> float:
    """How long a side of a mesh's image is on it, in its unit, where that is the most for all but a twentieth of it."""
    if mesh.coordinates is None:
        return 0.0
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    one, other = (mesh.coordinates[:, k] - mesh.coordinates[:, 0] for k in (1, 2))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    squares = areas / np.maximum(np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]), 1e-12)
    order = np.argsort(squares, kind="stable")
    share = np.cumsum(areas[order])
    return float(np.sqrt(squares[order[np.searchsorted(share, 0.95 * share[-1])]]))


def casters(scene: Scene, error: float) -> Casters:
    """What throws shadows, within `error` metres: all but floors and scenery."""
    none = {0} | {row for row, body in enumerate(scene.bodies, start=2) if body.endless}
    drawn = _fixed_first([surface for surface in surfaces(scene) if surface.instance not in none])
    return Casters(**_assembled(_parts(drawn, _tolerances(drawn, np.full(len(drawn), error)))))


def _fixed_first(drawn: list[Surface]) -> list[Surface]:
    return sorted(drawn, key=lambda surface: not surface.fixed)


def _tolerances(drawn: list[Surface], errors: Array) -> tuple[float, ...]:
    """Errors (n,) in metres of surfaces in the units of their meshes, rounded down to those that are made."""
    pairs = zip(drawn, errors.tolist(), strict=True)
    return tuple(stepped(surface.mesh, error / max(surface.size)) for surface, error in pairs)


def _parts(drawn: list[Surface], tolerances: Sequence[float]) -> list[tuple[Surface, MeshGroup]]:
    """The groups of each surface's mesh, within a tolerance in its unit."""
    return [
        (surface, group)
        for surface, tolerance in zip(drawn, tolerances, strict=True)
        for group in surface.groups(tolerance)
    ]


def _assembled(parts: list[tuple[Surface, MeshGroup]]) -> dict[str, Any]:
    """The fields of Casters."""
    return {
        "geometry": _geometry(tuple((group.mesh, surface.size) for surface, group in parts)),
        "local": np.array([surface.local for surface, _ in parts]),
        "carrier": np.array([surface.carrier for surface, _ in parts]),
        "fixed": np.array([surface.fixed for surface, _ in parts]),
    }


# Scenes of the same things share one, which then is in the processor's cache for all of them.
@lru_cache(maxsize=8)
def _geometry(sized: tuple[tuple[TriangleMesh, Vec3], ...]) -> Geometry:
    """The triangles of meshes whose units are so many metres along each axis."""
    submeshes = [scaled(*one) for one in sized]
    vertex_starts = [0, *accumulate(len(submesh.vertices) for submesh in submeshes)]
    triangle_starts = [0, *accumulate(len(submesh.triangles) for submesh in submeshes)]
    count = triangle_starts[-1]
    geometry = Geometry(
        vertices=np.empty((3, vertex_starts[-1]), dtype=np.float32),
        vertex_starts=np.array(vertex_starts, dtype=np.int32),
        triangles=np.empty((3, count), dtype=np.uint32),
        triangle_starts=np.array(triangle_starts, dtype=np.int32),
        normals=np.empty((count, 3, 3), dtype=np.float32),
        axes=np.empty(count, dtype=np.int32),
        facets=np.empty((count, 4), dtype=np.float32),
        part_of=np.empty(count, dtype=np.int32),
        spheres=np.array([submesh.sphere for submesh in submeshes]),
        closed=np.array([submesh.closed for submesh in submeshes]),
        coordinates=np.zeros((count, 3, 2), dtype=np.float32),
    )
    for part, submesh in enumerate(submeshes):
        those = slice(triangle_starts[part], triangle_starts[part + 1])
        geometry.vertices[:, vertex_starts[part] : vertex_starts[part + 1]] = submesh.vertices.T
        np.add(submesh.triangles.T, vertex_starts[part], out=geometry.triangles[:, those], casting="unsafe")
        geometry.normals[those], geometry.axes[those] = submesh.normals, submesh.axes
        geometry.facets[those], geometry.part_of[those] = submesh.facets, part
        if submesh.coordinates is not None:
            geometry.coordinates[those] = submesh.coordinates
    return geometry


def _material_table(parts: list[tuple[Surface, MeshGroup]], sides: list[int]) -> tuple[MaterialTable, Textures]:
    """The materials of parts, and their textures with as many texels a side at the most."""
    materials = [surface.material_of(group) for surface, group in parts]
    mapped = np.array([group.image is not None for _, group in parts])
    used: dict[Texture, int] = {}
    most: dict[Texture, int] = {}
    index = []
    for material, side in zip(materials, sides, strict=True):
        texture = material.texture and _pattern(material.texture)
        index.append(0 if texture is None else used.setdefault(texture, len(used) + 1))
        if texture is not None:
            most[texture] = max(side, most.get(texture, 1))
    rows = np.array([_row(material) for material in materials], dtype=np.float32)
    return MaterialTable(rows, np.array(index, dtype=np.int32), mapped), textures_of(most)


@lru_cache(maxsize=64)
def _pattern(texture: Texture) -> Texture:
    """The texture without what its texels do not depend on."""
    neutral = {"size": 1.0, "color": (1.0, 1.0, 1.0)} if texture.kind == "procedural" else {"size": 1.0}
    return texture.model_copy(update=neutral)


def _row(material: Material) -> list[float]:
    texture = material.texture
    color = to_linear(material.color)
    # An image is a mix of black and the material's colour, channel by channel.
    ends = (color, color) if texture is None else (_BLACK, color)
    if texture is not None and texture.kind == "procedural":
        ends = color, to_linear(texture.color)
    roughness = max(material.roughness, _LEAST_ROUGHNESS)
    return [
        *ends[0],
        *ends[1],
        roughness * roughness,
        material.metallic,
        0.08 * material.specular,
        1.0 / texture.size if texture is not None else 0.0,
    ]
