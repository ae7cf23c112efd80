"""A Scene as the arrays that renderers draw: triangles by part, and where each part is at one instant."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.rendering.meshes import TriangleMesh, load_obj, unit_box
from simworld.rendering.surfaces import BOX, Surface, surfaces
from simworld.scene.model import Scene
from simworld.scene.plain import Color

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


def draw_list(scene: Scene) -> DrawList:
    """The draw list of a scene; a broken mesh file raises RenderError."""
    floors = {row for row, body in enumerate(scene.bodies, start=2) if body.category == "floor"}
    return _concatenate(surfaces(scene), floors)


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


def _mesh(surface: Surface) -> TriangleMesh:
    return unit_box() if surface.mesh == BOX else load_obj(surface.mesh)


def _concatenate(drawn: list[Surface], floors: set[int]) -> DrawList:
    meshes = [_mesh(d) for d in drawn]
    starts = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    triangles = [m.triangles + start for m, start in zip(meshes, starts, strict=False)]
    casts = [t for t, d in zip(triangles, drawn, strict=True) if d.instance not in floors]
    return DrawList(
        vertices=np.concatenate([m.vertices * d.size for m, d in zip(meshes, drawn, strict=True)]).astype(np.float32),
        normals=np.concatenate([m.normals for m in meshes]).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        casts=np.concatenate(casts).astype(np.int32),
        vertex_starts=starts.astype(np.int32),
        part_of=np.repeat(np.arange(len(drawn)), [len(m.triangles) for m in meshes]).astype(np.int32),
        colors=np.array([to_linear(d.material.color) for d in drawn], dtype=np.float32),
        instances=np.array([d.instance for d in drawn], dtype=np.int32),
        local=np.stack([d.local for d in drawn]),
        carrier=np.array([d.carrier for d in drawn]),
    )
