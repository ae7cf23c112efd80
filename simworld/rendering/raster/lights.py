"""Lights as the arrays that shading reads, with the directions in which their shadow maps look."""

import itertools
import math
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.color import to_linear
from simworld.geometry import Array, Vec3
from simworld.kernels import kernel
from simworld.rendering.raster.surroundings import surroundings, turn_surroundings
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.model import Scene

Float = NDArray[np.float32]
Whole = NDArray[np.int32]

_BLOCKERS = 1.0
"""Metres from a surface up to which what softens a shadow on it is looked for."""
_SMOOTH = 0.06
"""Metres from what throws a soft shadow, over the taps across half of it: so far away texels are as wide as taps."""
_NEAREST_BLOCKERS = 0.5
"""Metres from a bulb to the nearest place where its soft shadows are looked at as a whole."""


class WorldLights(NamedTuple):
    """The lights of a scene in the world, and what each of their shadow maps looks at.

    `table` (l, 13): kind (0 directional, 1 point, 2 spot); direction to it or its place (3); a spot's axis (3); linear
    colour times intensity (3); a spot's angle, and one over the part of it that fades; angular diameter or radius.
    Light k has the shadow maps from `first_map[k]`, -1 for none, `map_count[k]` of them. `axes[m]` (3, 4) takes world
    points to right, down and towards a light far away, or right, down and ahead of one that is `near` (m,), in metres.
    There is nothing to see beyond `limits[m]`, metres or tangents: the least and greatest to the right, and downwards.
    Maps show `margins[m]` more than is seen, with texels of at least `least[m]`, in the same units; and map m is the
    `finer` of two, of which the next sees all. `ambient` (n,) are its `surroundings`.
    """

    table: Annotated[Array, 2]
    first_map: Annotated[Whole, 1]
    map_count: Annotated[Whole, 1]
    ambient: Annotated[Array, 1]
    axes: Annotated[Array, 3]
    near: Annotated[NDArray[np.bool_], 1]
    limits: Annotated[Array, 2]
    margins: Annotated[Array, 1]
    least: Annotated[Array, 1]
    finer: Annotated[NDArray[np.bool_], 1]


class Lights(NamedTuple):
    """The lights of a scene in a camera's frame, `table`, `first_map`, `map_count` and `ambient` as in WorldLights.

    `to_maps[m]` (3, 4) brings camera points to columns, rows and metres towards a light far away; or to these times the
    distance, and the distance. Map m has texels of `texels[m]` metres, at 1 m for those in perspective, and among the
    rows of all maps begins at places[m, 0], has places[m, 1] columns and places[m, 2] rows.
    """

    table: Annotated[Float, 2]
    first_map: Annotated[Whole, 1]
    map_count: Annotated[Whole, 1]
    to_maps: Annotated[Float, 3]
    texels: Annotated[Float, 1]
    places: Annotated[Whole, 2]
    ambient: Annotated[Float, 1]


class _Sight(NamedTuple):
    """One row of WorldLights.axes, near, limits, margins, least and finer."""

    axes: Array
    near: bool
    limits: tuple[float, float, float, float]
    margin: float
    least: float
    finer: bool


def world_lights(scene: Scene, box: Array) -> WorldLights:
    """The lights of a scene; those far away throw shadows within a box (2, 3)."""
    sights = [_sights(light, box) if light.shadow else [] for light in scene.lights]
    count = np.array([len(s) for s in sights], dtype=np.int32)
    flat = [sight for one in sights for sight in one]
    return WorldLights(
        table=np.array([_row(light) for light in scene.lights], dtype=np.float64).reshape(-1, 13),
        first_map=np.where(count > 0, np.cumsum(count) - count, -1).astype(np.int32),
        map_count=count,
        ambient=surroundings(scene),
        axes=np.array([s.axes for s in flat], dtype=np.float64).reshape(-1, 3, 4),
        near=np.array([s.near for s in flat], dtype=np.bool_),
        limits=np.array([s.limits for s in flat], dtype=np.float64).reshape(-1, 4),
        margins=np.array([s.margin for s in flat], dtype=np.float64),
        least=np.array([s.least for s in flat], dtype=np.float64),
        finer=np.array([s.finer for s in flat], dtype=np.bool_),
    )


def room_for_lights(lamps: WorldLights) -> Lights:
    """Lights that `turn_lights` fills."""
    maps = len(lamps.axes)
    return Lights(
        table=lamps.table.astype(np.float32),
        first_map=lamps.first_map,
        map_count=lamps.map_count,
        to_maps=np.zeros((maps, 3, 4), dtype=np.float32),
        texels=np.zeros(maps, dtype=np.float32),
        places=np.zeros((maps, 3), dtype=np.int32),
        ambient=lamps.ambient.astype(np.float32),
    )


@kernel
def turn_lights(lamps: Any, views: Any, fit: Any, view: Any, lights: Any) -> None:
    """Fill `lights` but for their places, for a camera to which `view` (3, 4) takes world points.

    `views` (m, 3, 4) takes world points to the maps, whose texels along a metre are fit[:, 0].
    """
    turn_surroundings(lamps.ambient, view, lights.ambient)
    for k in range(lamps.table.shape[0]):
        row = lamps.table[k]
        for i in range(3):
            r0, r1, r2 = view[i, 0], view[i, 1], view[i, 2]
            moved = view[i, 3] if row[0] > 0.0 else 0.0
            lights.table[k, 1 + i] = r0 * row[1] + r1 * row[2] + r2 * row[3] + moved
            lights.table[k, 4 + i] = r0 * row[4] + r1 * row[5] + r2 * row[6]
    for m in range(views.shape[0]):
        lights.texels[m] = 1.0 / fit[m, 0]
        for i in range(3):
            rest = views[m, i, 3]
            for j in range(3):
                turned = views[m, i, 0] * view[j, 0] + views[m, i, 1] * view[j, 1] + views[m, i, 2] * view[j, 2]
                lights.to_maps[m, i, j] = turned
                rest -= turned * view[j, 3]
            lights.to_maps[m, i, 3] = rest


_SIDES: tuple[Vec3, ...] = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def _row(light: Light) -> list[float]:
    strength = [channel * light.intensity for channel in to_linear(light.color)]
    match light:
        case DirectionalLight(direction=direction, angle=extent):
            return [0.0, *_unit(direction), 0.0, 0.0, 0.0, *strength, 0.0, 0.0, extent]
        case PointLight(position=position, radius=extent):
            return [1.0, *position, 0.0, 0.0, 0.0, *strength, 0.0, 0.0, extent]
        case SpotLight(position=position, direction=direction, angle=angle, radius=extent):
            fade = 1 / max(angle * light.blend, 1e-4)
            return [2.0, *position, *_unit(direction), *strength, angle, fade, extent]


def _sights(light: Light, box: Array) -> list[_Sight]:
    match light:
        case DirectionalLight(direction=direction, angle=angle):
            coarse = _parallel(direction, box, math.tan(angle / 2))
            return [coarse._replace(finer=True), coarse] if angle == 0 else [coarse]
        case SpotLight(position=position, direction=direction, angle=angle, radius=radius):
            return [_looking(position, direction, angle * 1.02, radius)]
        case PointLight(position=position, radius=radius):
            # Wide enough that what softens shadows looks beyond the edge between two faces.
            angle = 1.0 if radius > 0 else math.pi / 4 * 1.02
            return [_looking(position, axis, angle, radius) for axis in _SIDES]


def _parallel(direction: Vec3, box: Array, spread: float) -> _Sight:
    towards = _unit(direction)
    right, down = _axes(towards)
    corners = list(itertools.product(*box.T.tolist()))
    u, v = ([axis[0] * x + axis[1] * y + axis[2] * z for x, y, z in corners] for axis in (right, down))
    axes = np.array([[*axis, 0.0] for axis in (right, down, towards)])
    return _Sight(axes, False, (min(u), max(u), min(v), max(v)), _BLOCKERS * spread, _SMOOTH * spread, False)


def _looking(position: Vec3, direction: Vec3, angle: float, radius: float) -> _Sight:
    """A sight along a direction, to `angle` radians on each side of it."""
    forward, (x, y, z), wide = _unit(direction), position, math.tan(angle)
    axes = np.array([[*r, -(r[0] * x + r[1] * y + r[2] * z)] for r in (*_axes(forward), forward)])
    return _Sight(axes, True, (-wide, wide, -wide, wide), radius / _NEAREST_BLOCKERS, _SMOOTH * radius, False)


def _unit(direction: Vec3) -> Vec3:
    length = math.hypot(*direction)
    return (direction[0] / length, direction[1] / length, direction[2] / length)


def _axes(direction: Vec3) -> tuple[Vec3, Vec3]:
    """Two unit vectors across a unit direction, the first of them level."""
    x, y, z = direction
    across = math.hypot(x, y)
    right = (-y / across, x / across, 0.0) if across > 1e-6 else (1.0, 0.0, 0.0)
    return right, (y * right[2] - z * right[1], z * right[0] - x * right[2], x * right[1] - y * right[0])
