"""Shadow maps of a scene's lights, drawn anew where something has moved."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array, compose, quat_to_matrix
from simworld.rendering.poses import from_view
from simworld.rendering.raster.drawlist import Casters, casters, placed
from simworld.rendering.raster.lights import Lights, MapView, light_table, map_views
from simworld.rendering.raster.spans import Spans, spans
from simworld.rendering.raster.static_cache import mark_changed
from simworld.rendering.raster.visibility import NO_IDS, draw, draw_parallel, drawn_within
from simworld.scene.model import Scene
from simworld.scene.shapes import half_extents

Float = NDArray[np.float32]

SHADOW_SIZES = (256, 512, 1024)
"""Texels along a side of the shadow maps, for images up to 128, 400 and more pixels."""
_GROUND = 2.5
"""Metres of half a side from which on a body is taken for the ground."""
_ARM_REACH = 0.6
_BEHIND = -1e9
_NEAREST_CASTER = 0.02
"""Metres from a lamp within which nothing throws a shadow."""
_SHADOW_ERROR = 0.5
"""Share of a shadow map's texel by which what throws a shadow may differ."""


class Shadows(NamedTuple):
    """Shadow maps (m, n, n) of a state, those of fixed parts alone, and from where they are seen.

    They differ at and around the texels that have `changed` (m, n, n), which are found for distant lights alone; and
    only `within` (m, 4), first column, the one after the last, and rows, each. Light k has the maps from `firsts[k]`
    on, -1 for none, `counts[k]` of them. Of the casters those in `moving` (p,) are drawn for every state, by way of
    `points` (3, v), `screen` (4, v) and `room`.
    """

    maps: Float
    fixed: Float
    changed: NDArray[np.uint8]
    within: NDArray[np.int32]
    views: list[MapView]
    firsts: NDArray[np.int32]
    counts: NDArray[np.int32]
    casters: Casters
    moving: NDArray[np.bool_]
    points: Float
    screen: NDArray[np.int32]
    room: Spans


class ShadowMaps:
    """Draws the shadow maps of one scene; meshes are within `error` metres, or as finely as a map shows."""

    def __init__(self, scene: Scene, error: float, fixed_rows: NDArray[np.int64]) -> None:
        self._scene = scene
        self._error = error
        self._fixed_rows = fixed_rows
        self._box = _extent(scene)
        self._kept: dict[int, tuple[bytes, bytes, Shadows]] = {}

    def cast(self, carriers: Array, pixels: int) -> Shadows:
        """The shadow maps of a state, for images of so many pixels a side, from the last time if nothing has moved."""
        size = next((s for s, most in zip(SHADOW_SIZES, (128, 400), strict=False) if pixels <= most), SHADOW_SIZES[-1])
        fixed, now = carriers[self._fixed_rows].tobytes(), carriers.tobytes()
        kept = self._kept.get(size)
        if kept is not None and kept[1] == now:
            return kept[2]
        if kept is None or kept[0] != fixed:
            shadows = self._begin(size)
            for index, zbuffer in enumerate(shadows.fixed):
                _draw(carriers, shadows, index, shadows.casters.fixed, zbuffer)
            np.copyto(shadows.maps, shadows.fixed)
        else:
            shadows = kept[2]
        # Whoever interrupts this must not leave half of it for the last state's.
        self._kept.pop(size, None)
        for index in range(len(shadows.maps)):
            _redraw(carriers, shadows, index)
        self._kept[size] = (fixed, now, shadows)
        return shadows

    def _begin(self, size: int) -> Shadows:
        views = [map_views(light, size, self._box) for light in self._scene.lights]
        count = np.array([len(v) for v in views], dtype=np.int32)
        first = np.where(count > 0, np.cumsum(count) - count, -1).astype(np.int32)
        flat = [view for one in views for view in one]
        fixed = np.zeros((len(flat), size, size), dtype=np.float32)
        for view, zbuffer in zip(flat, fixed, strict=True):
            zbuffer[:] = 0 if view.focal else _BEHIND
        parts = self._casters(size)
        geometry = parts.geometry
        return Shadows(
            maps=np.empty_like(fixed),
            fixed=fixed,
            changed=np.zeros(fixed.shape, dtype=np.uint8),
            within=np.zeros((len(flat), 4), dtype=np.int32),
            views=flat,
            firsts=first,
            counts=count,
            casters=parts,
            moving=~parts.fixed,
            points=np.empty_like(geometry.vertices),
            screen=np.empty((4, geometry.vertices.shape[1]), dtype=np.int32),
            room=spans(geometry.triangles.shape[1]),
        )

    def _casters(self, size: int) -> Casters:
        """What throws shadows, as finely as a map of `size` texels shows."""
        texel = float(np.linalg.norm(self._box[1] - self._box[0])) / size
        return casters(self._scene, max(self._error, _SHADOW_ERROR * texel) if self._error > 0 else 0.0)


def _redraw(carriers: Array, shadows: Shadows, index: int) -> None:
    """Draw the moving casters into a shadow map, in place of those of another state, and find what that changes."""
    zbuffer, fixed, changed = shadows.maps[index], shadows.fixed[index], shadows.changed[index]
    j0, j1, i0, i1 = shadows.within[index].tolist()
    zbuffer[i0:i1, j0:j1] = fixed[i0:i1, j0:j1]
    changed[max(i0 - 1, 0) : i1, max(j0 - 1, 0) : j1] = 0
    _draw(carriers, shadows, index, shadows.moving, zbuffer)
    if shadows.views[index].focal:
        shadows.within[index] = 0, len(fixed), 0, len(fixed)
    else:
        drawn_within(shadows.casters.geometry, shadows.moving, shadows.screen, len(fixed), shadows.within[index])
        mark_changed(zbuffer, fixed, shadows.within[index], changed)


def _draw(carriers: Array, shadows: Shadows, index: int, chosen: NDArray[np.bool_], zbuffer: Float) -> None:
    """Draw the chosen casters into what is to be the shadow map `index`."""
    parts, view = shadows.casters, shadows.views[index]
    room = shadows.points, shadows.screen, shadows.room
    matrices = placed(parts, carriers, view.matrix)
    if view.focal:
        middle = zbuffer.shape[0] / 2
        pinhole = (view.focal, view.focal, middle, middle)
        draw(parts.geometry, chosen, matrices, pinhole, _NEAREST_CASTER, *room, zbuffer, NO_IDS)
    else:
        draw_parallel(parts.geometry, chosen, matrices, *room, zbuffer, NO_IDS)


def lights_in(scene: Scene, shadows: Shadows, view: Array) -> Lights:
    """The lights in the frame of a camera to which `view` (3, 4) takes world points."""
    to_maps = np.empty((len(shadows.views), 3, 4), dtype=np.float32)
    for out, seen in zip(to_maps, shadows.views, strict=True):
        out[:] = from_view(seen.matrix, view)
    return Lights(
        table=light_table(scene, view),
        first_map=shadows.firsts,
        map_count=shadows.counts,
        to_maps=to_maps,
        texels=np.array([seen.texel for seen in shadows.views], dtype=np.float32),
        ambient=np.array(scene.ambient, dtype=np.float32),
    )


def _extent(scene: Scene) -> Array:
    """Lowest and highest corner (2, 3) of what shadow maps of distant lights cover.

    That is all bodies but floors and larger ones, and the arm's reach as far as it is over them, as the scene begins.
    """
    boxes = []
    for body in scene.bodies:
        for part in body.parts if not body.endless else ():
            place = compose(body.pose, [*part.position, *part.orientation])
            half = np.abs(quat_to_matrix(place[3:])) @ half_extents(part.shape)
            if half.max() < _GROUND:
                boxes.append((place[:3] - half, place[:3] + half))
    base = np.array(scene.robot.position)
    arm = base - [_ARM_REACH, _ARM_REACH, 0.0], base + _ARM_REACH
    low, high = np.array(boxes or [arm]).min(axis=0)[0], np.array(boxes or [arm]).max(axis=0)[1]
    return np.array(
        [
            np.minimum(low, np.maximum(arm[0], low - _ARM_REACH)),
            np.maximum(high, np.minimum(arm[1], high + _ARM_REACH)),
        ]
    )
