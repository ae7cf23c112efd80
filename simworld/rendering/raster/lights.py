"""Lights as the arrays that shading reads, with the views from which their shadow maps are drawn."""

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.color import to_linear
from simworld.geometry import Array, Vec3
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.model import Scene

Float = NDArray[np.float32]


class Lights(NamedTuple):
    """The lights of a scene in a camera's frame.

    `table` (l, 13): kind (0 directional, 1 point, 2 spot); direction to it or its place (3); a spot's axis (3); linear
    colour times intensity (3); a spot's angle, and one over the part of it that fades; angular diameter or radius.
    Light k has the shadow maps from `first_map[k]`, -1 for none, `map_count[k]` of them. Map m has texels of
    `texels[m]` metres, at 1 m for those in perspective; `to_maps[m]` (3, 4) brings camera points to it.
    """

    table: Float
    first_map: NDArray[np.int32]
    map_count: NDArray[np.int32]
    to_maps: Float
    texels: Float
    ambient: Float


class MapView(NamedTuple):
    """Where a shadow map is seen from: `matrix` (3, 4) takes world points there, to texels for one without perspective.

    `focal` in texels is 0 without perspective.
    """

    matrix: Array
    focal: float
    texel: float


def map_views(light: Light, size: int, box: Array) -> list[MapView]:
    """The views of a light's shadow maps of `size` texels a side; one from far away covers a box (2, 3)."""
    if not light.shadow:
        return []
    match light:
        case DirectionalLight(direction=direction):
            return [_parallel(direction, size, box)]
        case SpotLight(position=position, direction=direction, angle=angle):
            return [_looking(position, direction, size, angle * 1.02)]
        case PointLight(position=position, radius=radius):
            # Wide enough that what softens shadows looks beyond the edge between two faces.
            return [_looking(position, axis, size, 1.0 if radius > 0 else math.pi / 4 * 1.02) for axis in _SIDES]


def light_table(scene: Scene, view: Array) -> Float:
    """`Lights.table` for a camera to which `view` (3, 4) takes world points."""
    rows = [_row(light, view) for light in scene.lights]
    return np.array(rows, dtype=np.float32).reshape(-1, 13)


_SIDES: tuple[Vec3, ...] = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def _row(light: Light, view: Array) -> list[float]:
    strength = [channel * light.intensity for channel in to_linear(light.color)]
    match light:
        case DirectionalLight(direction=direction, angle=extent):
            return [0.0, *_turned(view, _unit(direction)), 0.0, 0.0, 0.0, *strength, 0.0, 0.0, extent]
        case PointLight(position=position, radius=extent):
            return [1.0, *_moved(view, position), 0.0, 0.0, 0.0, *strength, 0.0, 0.0, extent]
        case SpotLight(position=position, direction=direction, angle=angle, radius=extent):
            place, axis = _moved(view, position), _turned(view, _unit(direction))
            return [2.0, *place, *axis, *strength, angle, 1 / max(angle * light.blend, 1e-4), extent]


def _unit(direction: Vec3) -> Vec3:
    length = math.hypot(*direction)
    return (direction[0] / length, direction[1] / length, direction[2] / length)


def _turned(view: Array, v: Vec3) -> list[float]:
    return [row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in view.tolist()]


def _moved(view: Array, p: Vec3) -> list[float]:
    return [row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3] for row in view.tolist()]


def _axes(direction: Vec3) -> tuple[Vec3, Vec3]:
    """Two unit vectors across a unit direction, the first of them level."""
    x, y, z = direction
    across = math.hypot(x, y)
    right = (-y / across, x / across, 0.0) if across > 1e-6 else (1.0, 0.0, 0.0)
    return right, (y * right[2] - z * right[1], z * right[0] - x * right[2], x * right[1] - y * right[0])


def _parallel(direction: Vec3, size: int, box: Array) -> MapView:
    """Texels, and metres towards the light; the map just holds a box (2, 3) in the world."""
    towards = _unit(direction)
    right, down = _axes(towards)
    corners = list(itertools.product(*box.T.tolist()))
    matrix, texel = [], 0.0
    for axis in (right, down):
        along = [axis[0] * x + axis[1] * y + axis[2] * z for x, y, z in corners]
        scale = size / (max(along) - min(along))
        matrix.append([*(scale * a for a in axis), -scale * min(along)])
        texel = max(texel, 1 / scale)
    return MapView(np.array([*matrix, [*towards, 0.0]]), 0.0, texel)


def _looking(position: Vec3, direction: Vec3, size: int, angle: float) -> MapView:
    """A view along a direction, to `angle` radians on each side of it."""
    forward = _unit(direction)
    right, down = _axes(forward)
    x, y, z = position
    matrix = [[*r, -(r[0] * x + r[1] * y + r[2] * z)] for r in (right, down, forward)]
    focal = size / 2 / math.tan(angle)
    return MapView(np.array(matrix), focal, 1 / focal)
