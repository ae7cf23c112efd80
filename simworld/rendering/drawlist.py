"""A Scene as the arrays that renderers draw: triangles by part, and where each part is at one instant."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.meshes import CYLINDER, SPHERE, TriangleMesh, load_obj, unit_box
from simworld.scene.catalogue import data_path, mesh
from simworld.scene.model import Box, Color, Cylinder, Mesh, Part, Scene, Sphere
from simworld.scene.robots import ROBOTS
from simworld.scene.shapes import mesh_frame

Float = NDArray[np.float32]


@dataclass(frozen=True)
class DrawList:
    """Everything of a scene that stays the same while it moves.

    `vertices` and `normals` (v, 3) float32 in their part's frame, sized in metres; `triangles` (t, 3) int32;
    `vertex_starts` (p + 1,) and `part_of` (t,) int32; `colors` (p, 3) float32, linear; `instances` (p,) int32.
    `casts` (t, 3) are the triangles that cast shadows: all but the floor's. `local` (p, 7) are the parts' poses on
    row `carrier` (p,) of the state's link poses followed by its body poses.
    """

    vertices: Float
    normals: Float
    triangles: NDArray[np.int32]
    casts: NDArray[np.int32]
    vertex_starts: NDArray[np.int32]
    part_of: NDArray[np.int32]
    colors: Float
    instances: NDArray[np.int32]
    local: Array
    carrier: NDArray[np.int64]


@dataclass(frozen=True)
class _Drawn:
    mesh: TriangleMesh
    size: tuple[float, float, float]
    color: Color
    instance: int
    local: Array
    carrier: int


def draw_list(scene: Scene) -> DrawList:
    """The draw list of a scene; a broken mesh file raises RenderError."""
    model = ROBOTS[scene.robot.name]
    drawn = [
        _Drawn(
            load_obj(str(data_path() / visual.mesh)),
            (1.0, 1.0, 1.0),
            visual.color,
            1,
            np.array([*visual.position, *visual.orientation]),
            model.link_index(visual.link),
        )
        for visual in model.visuals
    ]
    floors = set()
    for row, body in enumerate(scene.bodies):
        if body.category == "floor":
            floors.add(row + 2)
        drawn += [_drawn(part, body.color, row + 2, len(model.links) + row) for part in body.parts]
    return _concatenate(drawn, floors)


def to_linear(color: Color) -> Color:
    """Linear light of an sRGB colour (IEC 61966-2-1)."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return r, g, b


@cache
def tone_curve() -> NDArray[np.uint8]:
    """sRGB 0..255 of linear 0..1 in 4,096 steps (IEC 61966-2-1)."""
    linear = np.linspace(0, 1, 4096)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    curve: NDArray[np.uint8] = np.rint(255 * encoded).astype(np.uint8)
    return curve


def _drawn(part: Part, color: Color, instance: int, carrier: int) -> _Drawn:
    local = np.array([*part.position, *part.orientation])
    match part.shape:
        case Box(half_extents=half):
            return _Drawn(unit_box(), half, color, instance, local, carrier)
        case Cylinder(radius=radius, height=height):
            return _Drawn(load_obj(CYLINDER), (radius, radius, height / 2), color, instance, local, carrier)
        case Sphere(radius=radius):
            return _Drawn(load_obj(SPHERE), (radius, radius, radius), color, instance, local, carrier)
        case Mesh(name=name) as shape:
            frame, scale = mesh_frame(part, shape)
            loaded = load_obj(str(data_path() / mesh(name).visual))
            return _Drawn(loaded, (scale, scale, scale), color, instance, frame, carrier)
    raise RenderError(f"cannot draw {part.shape!r}")


def _concatenate(drawn: list[_Drawn], floors: set[int]) -> DrawList:
    starts = np.cumsum([0, *(len(d.mesh.vertices) for d in drawn)])
    triangles = [d.mesh.triangles + start for d, start in zip(drawn, starts, strict=False)]
    casts = [t for t, d in zip(triangles, drawn, strict=True) if d.instance not in floors]
    return DrawList(
        vertices=np.concatenate([d.mesh.vertices * d.size for d in drawn]).astype(np.float32),
        normals=np.concatenate([d.mesh.normals for d in drawn]).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        casts=np.concatenate(casts).astype(np.int32),
        vertex_starts=starts.astype(np.int32),
        part_of=np.repeat(np.arange(len(drawn)), [len(d.mesh.triangles) for d in drawn]).astype(np.int32),
        colors=np.array([to_linear(d.color) for d in drawn], dtype=np.float32),
        instances=np.array([d.instance for d in drawn], dtype=np.int32),
        local=np.stack([d.local for d in drawn]),
        carrier=np.array([d.carrier for d in drawn]),
    )
