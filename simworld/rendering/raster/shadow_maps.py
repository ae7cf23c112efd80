"""Shadow maps of a scene's lights as a camera needs them."""

import weakref
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array, quat_product, quat_to_matrix, rotated
from simworld.kernels import kernel
from simworld.rendering.memory import kept
from simworld.rendering.raster.drawlist import Casters, Geometry, casters
from simworld.rendering.raster.handover import Handed, reader
from simworld.rendering.raster.lights import Lights, WorldLights, room_for_lights, world_lights
from simworld.rendering.raster.shadow_fit import SEEN_ROWS, fit_maps
from simworld.rendering.raster.spans import BLOCK, Spans, spans
from simworld.rendering.raster.visibility import NO_IDS
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.shapes import half_extents

Float = NDArray[np.float32]
Flags = NDArray[np.bool_]

SHADOW_SIZES = (256, 512, 1024)
"""Most texels along a side of the shadow maps, for images up to 128, 400 and more pixels."""
_GROUND = 2.5
"""Metres of half a side from which on a body is taken for the ground."""
_ARM_REACH = 0.6
_SHADOW_ERROR = 0.5
"""Share of a shadow map's texel by which what throws a shadow may differ."""
_USUAL = 0.4
"""Metres to what cameras that move are taken to see."""
_lamps_at = reader(WorldLights)
_MOST_KEPT = 8
"""Sizes and focal lengths of cameras for which what is made is kept."""
_SPARE = 2
"""Rows that are looked up where there is no map."""


class Casting(NamedTuple):
    """What throws shadows, as in Casters, with room to draw it: `matrices` (p, 3, 4), `points` (3, v), `screen` (4 v,).

    In `reach` (4 BLOCK,) are the limits of what is drawn, lane by lane: columns and rows, first and after the last.
    `moving`, `fixed` and `all` (p,) say which parts are; `no_ids` are as in `draw`.
    """

    geometry: Geometry
    local: Annotated[Array, 2]
    carrier: Annotated[NDArray[np.int64], 1]
    fixed: Annotated[Flags, 1]
    moving: Annotated[Flags, 1]
    all: Annotated[Flags, 1]
    matrices: Annotated[Float, 3]
    points: Annotated[Float, 2]
    screen: Annotated[NDArray[np.int32], 1]
    room: Spans
    reach: Annotated[Array, 1]
    no_ids: Annotated[NDArray[np.int32], 2]


class Shadows(NamedTuple):
    """The shadow maps of a camera, one below the other in `maps` (k, n), and the lights in its frame.

    Where they lie is in `lights.places`; `fit`, `views` and `seen` are as in `fit_maps`. For a camera that stays, those
    of fixed parts alone are `fixed` (k, n). They differ at and around the texels that have `changed` (k, n), and only
    `within` (m, 4): first column, the one after the last, and rows; both for distant lights alone.
    """

    lamps: WorldLights
    lights: Lights
    fit: Annotated[Array, 2]
    views: Annotated[Array, 3]
    seen: Annotated[Array, 2]
    maps: Annotated[Float, 2]
    fixed: Annotated[Float, 2]
    changed: Annotated[NDArray[np.uint8], 2]
    within: Annotated[NDArray[np.int32], 2]
    casting: Casting


@kernel
def _fit(
    lamps: int,
    inverse_depth: Any,
    nothing: float,
    pinhole: Any,
    pixel: float,
    view: Any,
    closest: float,
    box: Any,
    size: int,
    seen: Any,
    fit: Any,
    views: Any,
    places: Any,
) -> int:
    """As `fit_maps`, of lamps at an address."""
    room = seen, fit, views, places
    return int(fit_maps(_lamps_at(lamps), inverse_depth, nothing, pinhole, pixel, view, closest, box, size, *room))


class ShadowMaps:
    """Draws the shadow maps of one scene, of `full` meshes or of those that are as fine as a map shows."""

    def __init__(self, scene: Scene, full: bool) -> None:
        self._scene = weakref.ref(scene)  # what is kept of a scene goes when it does
        self._full = full
        self._box = _extent(scene)
        self._lamps = world_lights(scene, self._box)
        self._casting: dict[float, Casting] = {}
        self._following: dict[tuple[int, float], Shadows] = {}

    def staying(self, camera: Camera, view: Array, parameters: tuple[float, ...], fixed_depth: Float) -> Shadows:
        """Room for the maps of fixed parts, and of all, for a camera that stays where `view` (3, 4) says.

        Its pinhole image with these `parameters` sees the inverse depths `fixed_depth` (h, w) of fixed parts.
        """
        count, size, pixel = len(self._lamps.axes), _size(camera), _pixel(camera)
        lights, fit, views, seen = room_for_lights(self._lamps), *_room(count)
        nothing, lamps = float(np.float32(1 / camera.far)), Handed(self._lamps)
        seeing = fixed_depth, nothing, parameters, pixel, view, camera.near, self._box, size
        rows = _fit(lamps.address, *seeing, seen, fit, views, lights.places)
        texel = min((1 / fit[m, 0] for m in range(count) if lights.places[m, 2] > 0), default=1.0)
        fixed = np.zeros((rows + _SPARE, size), dtype=np.float32)
        changed, within = np.zeros(fixed.shape, dtype=np.uint8), np.zeros((count, 4), dtype=np.int32)
        casting = self._casters(texel)
        return Shadows(self._lamps, lights, fit, views, seen, np.empty_like(fixed), fixed, changed, within, casting)

    def following(self, camera: Camera) -> Shadows:
        """Room for the maps of a camera that moves, for one state after the other; see `follow`."""
        size, pixel = _size(camera), _pixel(camera)
        return kept(self._following, _MOST_KEPT, (size, pixel), self._new_following)

    def _new_following(self, key: tuple[int, float]) -> Shadows:
        (size, pixel), count = key, len(self._lamps.axes)
        return Shadows(
            self._lamps,
            room_for_lights(self._lamps),
            *_room(count),
            np.zeros((size * count + _SPARE, size), dtype=np.float32),
            np.empty((0, size), dtype=np.float32),
            np.empty((0, size), dtype=np.uint8),
            np.zeros((count, 4), dtype=np.int32),
            self._casters(pixel * _USUAL),
        )

    def _casters(self, texel: float) -> Casting:
        """What throws shadows, as finely as texels of so many metres show."""
        return kept(self._casting, _MOST_KEPT, 0.0 if self._full else _SHADOW_ERROR * texel, self._new_casting)

    def _new_casting(self, error: float) -> Casting:
        scene = self._scene()
        assert scene is not None
        return _casting(casters(scene, error))


def _casting(parts: Casters) -> Casting:
    geometry = parts.geometry
    return Casting(
        geometry=geometry,
        local=parts.local,
        carrier=parts.carrier,
        fixed=parts.fixed,
        moving=~parts.fixed,
        all=np.ones_like(parts.fixed),
        matrices=np.empty((len(parts.carrier), 3, 4), dtype=np.float32),
        points=np.empty_like(geometry.vertices),
        screen=np.empty(4 * geometry.vertices.shape[1], dtype=np.int32),
        room=spans(geometry.triangles.shape[1]),
        reach=np.zeros(4 * BLOCK),
        no_ids=NO_IDS,
    )


def _room(maps: int) -> tuple[Array, Array, Array]:
    return np.zeros((maps, 3)), np.zeros((maps, 3, 4)), np.zeros((SEEN_ROWS, 6))


def _size(camera: Camera) -> int:
    pixels = max(camera.width, camera.height)
    return next((s for s, most in zip(SHADOW_SIZES, (128, 400), strict=False) if pixels <= most), SHADOW_SIZES[-1])


def _pixel(camera: Camera) -> float:
    """Width of a pixel at 1 m."""
    return 1 / max(camera.fx, camera.fy)


def _extent(scene: Scene) -> Array:
    """Lowest and highest corner (2, 3) of what shadow maps of distant lights cover.

    That is all bodies but floors and larger ones, and the arm's reach as far as it is over them, as the scene begins.
    """
    boxes = []
    for body in scene.bodies:
        for part in body.parts if not body.endless else ():
            place = np.add(body.position, rotated(body.orientation, part.position))
            turn = quat_to_matrix(quat_product(body.orientation, part.orientation))
            half = (np.abs(turn) * half_extents(part.shape)).sum(axis=1)
            if half.max() < _GROUND:
                boxes.append((place - half, place + half))
    base = np.array(scene.robot.position)
    arm = base - [_ARM_REACH, _ARM_REACH, 0.0], base + _ARM_REACH
    low, high = np.array(boxes or [arm]).min(axis=0)[0], np.array(boxes or [arm]).max(axis=0)[1]
    return np.array(
        [
            np.minimum(low, np.maximum(arm[0], low - _ARM_REACH)),
            np.maximum(high, np.minimum(arm[1], high + _ARM_REACH)),
        ]
    )
