"""What a thread keeps of scenes and their cameras, to draw the next frame from."""

from collections.abc import Callable
from typing import Any

import numpy as np

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.matrices import are_poses, look
from simworld.rendering.memory import kept
from simworld.rendering.poses import NO_POSES, fill_poses
from simworld.rendering.raster.drawlist import DrawList
from simworld.rendering.raster.fragments import Samples, find_fragments
from simworld.rendering.raster.handover import Handed
from simworld.rendering.raster.lights import WorldLights
from simworld.rendering.raster.passes import CACHED, CAST, COLUMNS, FILL, FIXED, SHADOWS, render_rows
from simworld.rendering.raster.shadow_maps import ShadowMaps, Shadows
from simworld.rendering.raster.stage import DrawnParts, Eye, StaticCache, drawing_of, eye_of, static_cache
from simworld.rendering.raster.turns import Turn
from simworld.rendering.raster.workspace import WORKSPACES, Need
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

_MOST_EYES = 8


class KeptEye:
    """A camera's Eye in a scene, right for states whose fixed parts are where they are in `carriers` (n, 7)."""

    def __init__(self, drawing: DrawnParts, eye: Eye, carriers: Array) -> None:
        self.need = _need(drawing, eye)
        self._drawing = Handed(drawing)
        self._eye = Handed(eye)
        self._shadows: Handed[Shadows] | None = None
        self._cache: Handed[StaticCache] | None = None
        self._carriers = carriers.copy()
        self._pictures = 0
        self.bytes = self._size()
        """Of what is kept, but for what is of the draw list, which threads share."""
        if eye.link < 0:
            self._do(FIXED)

    def prepare(self, camera: Camera, shadow_maps: ShadowMaps) -> bool:
        """Be ready for a picture: the second is worth a static cache. Whether that takes more than before."""
        self._pictures += 1
        before = self._shadows, self._cache
        if self._shadows is None:
            shadows = Handed(self._cast(camera, shadow_maps))
            if self._eye.value.link < 0:
                self._do(CAST, SHADOWS, shadows)
            self._shadows = shadows
        if self._cache is None and self._pictures > 1 and self._eye.value.cacheable:
            cache = Handed(self._new_cache(self._shadows.value.lamps))
            self._do(FILL, CACHED, cache)
            self._cache = cache
        if before == (self._shadows, self._cache):
            return False
        self.bytes = self._size()
        return True

    def row(self, task: int, carriers: int, count: int) -> list[int]:
        """A row but for what is to be made; its carriers (`count`, 7) are at an address."""
        shadows = 0 if self._shadows is None else self._shadows.address
        cache = 0 if self._cache is None else self._cache.address
        return [task, 0, count, carriers, self._drawing.address, self._eye.address, shadows, cache]

    def _cast(self, camera: Camera, shadow_maps: ShadowMaps) -> Shadows:
        eye = self._eye.value
        if eye.link >= 0:
            return shadow_maps.following(camera)
        view = np.empty((3, 4))
        look(self._carriers, eye.link, eye.local, view)
        sight = eye.picture
        return shadow_maps.staying(camera, view, sight.parameters, sight.fixed_inverse_depth)

    def _new_cache(self, lamps: WorldLights) -> StaticCache:
        eye, lights = self._eye.value, (len(lamps.table), len(lamps.axes))
        pixels, seen = eye.width * eye.height, eye.picture
        if eye.factor == 1:
            return static_cache(*lights, pixels, pixels)
        starts = np.empty(pixels + 1, dtype=np.int32)
        fixed = seen.fixed_ids, seen.fixed_inverse_depth
        count = find_fragments(self._drawing.value.geometry, Samples(*fixed, *fixed, seen.grid), eye.factor, starts)
        return static_cache(*lights, pixels, count, starts)

    def _do(self, task: int, column: int = CACHED, handed: Handed[Any] | None = None) -> None:
        row = np.zeros((1, COLUMNS), dtype=np.int64)
        row[0, :8] = self.row(task, self._carriers.ctypes.data, len(self._carriers))
        if handed is not None:
            row[0, column] = handed.address
        turn, workspace = Turn(), WORKSPACES.for_(self.need)  # which is held until it is done
        render_rows(row, workspace.address, turn.all(1))

    def _size(self) -> int:
        handed = (self._eye, self._shadows, self._cache)
        return sum(_bytes(one.value) for one in handed if one is not None) - self._eye.value.backdrop.nbytes


class KeptScene:
    """What one thread keeps of a scene, which it does not hold: the eyes of its last few cameras.

    Says when that has `grown`.
    """

    def __init__(self, scene: Scene, draw_list: Callable[[Scene, Camera], DrawList], grown: Callable[[], None]) -> None:
        self._links, self._bodies = len(scene.robot.model.links), len(scene.bodies)
        self._draw_list, self._grown = draw_list, grown
        self._shadow_maps: ShadowMaps | None = None
        self._full = False
        self._eyes: dict[Camera, KeptEye] = {}
        self._found: dict[int, tuple[Camera, KeptEye]] = {}

    @property
    def bytes(self) -> int:
        """Of its eyes."""
        return sum(eye.bytes for eye in list(self._eyes.values()))

    @property
    def count(self) -> int:
        """Of links and bodies."""
        return self._links + self._bodies

    def fill(self, carriers: Array, state: SceneState) -> None:
        """Put the poses of links, then of bodies, into `carriers`; those of another scene raise RenderError."""
        fill_poses(state, self._links, carriers)

    def eye(self, scene: Scene, camera: Camera, carriers: Array, picture: bool) -> KeptEye:
        """The eye of a camera, which may be right for other fixed parts than those of `carriers`."""
        found = self._found.get(id(camera))
        if found is None:
            eye = kept(self._eyes, _MOST_EYES, camera, lambda _: self._make(scene, camera, carriers))
            # With the camera, so that no other can get its id.
            found = kept(self._found, _MOST_EYES, id(camera), lambda _: (camera, eye))
            self._grown()
        if picture:
            if self._shadow_maps is None:
                self._shadow_maps = ShadowMaps(scene, self._full)
            if found[1].prepare(camera, self._shadow_maps):
                self._grown()
        return found[1]

    def forget(self, camera: Camera) -> None:
        """Forget the eye of a camera."""
        self._eyes.pop(camera, None)
        self._found.clear()

    def _make(self, scene: Scene, camera: Camera, carriers: Array) -> KeptEye:
        if not are_poses(carriers):
            raise RenderError(NO_POSES)
        drawn = self._draw_list(scene, camera)
        self._full, drawing = drawn.full, drawing_of(scene, drawn)
        return KeptEye(drawing, eye_of(scene, drawing, drawn.backdrop, camera, carriers), carriers)


def _need(drawing: DrawnParts, eye: Eye) -> Need:
    """How much room it takes to draw what an eye sees."""
    geometry, sights = drawing.geometry, (eye.labels, eye.picture)
    return Need(
        parts=len(drawing.carrier),
        vertices=geometry.vertices.shape[1],
        triangles=geometry.triangles.shape[1],
        samples=max(sight.width * sight.height for sight in sights),
        bent=max(sight.grid.shape[0] * sight.grid.shape[1] for sight in sights),
    )


def _bytes(value: tuple[Any, ...]) -> int:
    """Of all arrays in a NamedTuple."""
    size, rest = 0, [value]
    while rest:
        for part in rest.pop():
            if isinstance(part, np.ndarray):
                size += part.nbytes
            elif isinstance(part, tuple):
                rest.append(part)
    return size
