"""One thread's drawing: buffers, and what stays the same from frame to frame of a scene."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.color import tone_curve
from simworld.geometry import Array
from simworld.rendering.derived import DERIVED, derived
from simworld.rendering.frame import WANT_NEXT, Frame
from simworld.rendering.poses import poses_of, view_of
from simworld.rendering.raster.drawlist import DrawList, placed
from simworld.rendering.raster.labelling import mask_through_lens, through_lens, write_depth, write_ids, write_normals
from simworld.rendering.raster.lights import Lights
from simworld.rendering.raster.planes import PLANE, set_up
from simworld.rendering.raster.shading import ALL, KEEP, MOVING, shade
from simworld.rendering.raster.shadow_maps import ShadowMaps, Shadows, lights_in
from simworld.rendering.raster.spans import spans
from simworld.rendering.raster.static_cache import show_all_kept, show_kept
from simworld.rendering.raster.visibility import NO_IDS, draw
from simworld.rendering.raster.work import scratch
from simworld.rendering.textures.pyramid import environment
from simworld.scene.camera import Camera
from simworld.scene.lens import Pinhole, pinhole
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

Float = NDArray[np.float32]
Made = dict[str, NDArray[Any]]

_KEPT_VIEWS = 8
_KEPT_PIXELS = 1 << 20


class Kept(NamedTuple):
    """What light does to the fixed parts of a view but for shadows, by pixel, row by row.

    `base` (3, n) radiance without lights; `direct` (l, 3, n) what each light adds where nothing is in its way, which
    the four texels at and around `corner` (l, n) of its shadow map say, that are `right` of it, `below` it, and
    compared with `near` (l, n). `picture` (3 n,) is what that looks like where fixed parts alone throw shadows.
    """

    base: Float
    direct: Float
    corner: NDArray[np.int32]
    right: Float
    below: Float
    near: Float
    picture: NDArray[np.uint8]


class View(NamedTuple):
    """Buffers of a pinhole image and what fixed parts look like in it; lights by the size of their shadow maps."""

    fixed_ids: NDArray[np.int32]
    fixed_nearness: Float
    ids: NDArray[np.int32]
    nearness: Float
    points: Float
    screen: NDArray[np.int32]
    to_world: Float
    lights: dict[int, Lights]
    kept: dict[int, Kept | None]


class Seen(NamedTuple):
    """What a camera sees: the triangle and the inverse depth of each of its samples, and what shading needs of them."""

    ids: NDArray[np.int32]
    nearness: Float
    matrices: Float
    planes: Float
    known: NDArray[np.bool_]
    pinhole: Pinhole
    view: View


_EMPTY = np.empty((0, 0), dtype=np.float32)
_NOTHING = Kept(
    _EMPTY, np.empty((0, 0, 0), dtype=np.float32), NO_IDS, _EMPTY, _EMPTY, _EMPTY, np.empty(0, dtype=np.uint8)
)


class Canvas:
    """Draws frames, one at a time; the draw list of the last scene is the one whose buffers are kept."""

    def __init__(self) -> None:
        self._drawn: DrawList | None = None
        self._scratch = scratch()

    def render(
        self,
        drawn: DrawList,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str],
        next_state: SceneState | None,
    ) -> Frame:
        """Render one frame; see RasterRenderer."""
        if drawn is not self._drawn:
            self._begin(drawn, scene)
        carriers, view = self._pose(scene, state, camera)
        made, labels = Made(), _needed(channels)
        if labels or ("rgb" in channels and camera.antialias == 1):
            seen = self._see(carriers, view, camera, 1, "normals" in channels)
            made |= self._labels(seen, labels)
        if "rgb" in channels:
            if camera.antialias > 1:
                seen = self._see(carriers, view, camera, camera.antialias, False)
            made["rgb"] = self._picture(scene, carriers, view, camera, seen)
        if "amodal" in channels:
            made["amodal"] = self._amodal(scene, carriers, view, camera)
        later = None
        if next_state is not None and WANT_NEXT & set(channels):
            seen = self._see(*self._pose(scene, next_state, camera), camera, 1, False)
            later = self._labels(seen, {"depth"})
        made |= derived(channels, scene, state, camera, made, next_state, later)
        return Frame(**{name: made[name] for name in channels})

    def _begin(self, drawn: DrawList, scene: Scene) -> None:
        # Nothing of the last scene is left to draw with if this ends half way.
        self._drawn = None
        self._moving = ~drawn.fixed
        self._first_moving = int(drawn.geometry.triangle_starts[np.count_nonzero(drawn.fixed)])
        self._fixed_rows = np.unique(drawn.carrier[drawn.fixed])
        self._views: dict[bytes, View] = {}
        self._shadows = ShadowMaps(scene, drawn.error, self._fixed_rows)
        self._backdrop = environment(scene.background)
        self._planes = np.empty((drawn.geometry.triangles.shape[1], PLANE), dtype=np.float32)
        self._room = spans(len(self._planes))
        self._drawn = drawn

    @property
    def _list(self) -> DrawList:
        assert self._drawn is not None
        return self._drawn

    def _pose(self, scene: Scene, state: SceneState, camera: Camera) -> tuple[Array, Array]:
        """Carriers (n, 7) of a state, and the matrix (3, 4) from the world to the camera."""
        return poses_of(scene, state), view_of(scene, state, camera)

    def _see(self, carriers: Array, view: Array, camera: Camera, factor: int, planes: bool) -> Seen:
        """What the camera sees, with `factor` x `factor` samples to a pixel; `planes` are filled on request."""
        lens = pinhole(camera, factor)
        matrices = placed(self._list, carriers, view)
        kept = self._view(carriers, view, camera, lens, matrices)
        np.copyto(kept.ids, kept.fixed_ids)
        np.copyto(kept.nearness, kept.fixed_nearness)
        self._draw(self._moving, matrices, camera, lens, kept, kept.nearness, kept.ids)
        known = np.zeros(len(self._planes), dtype=np.bool_)
        if planes or lens.grid.size:
            set_up(
                self._list.geometry,
                self._list.looks,
                matrices,
                kept.points,
                lens.parameters,
                kept.ids,
                self._planes,
                known,
            )
        if not lens.grid.size:
            return Seen(kept.ids, kept.nearness, matrices, self._planes, known, lens, kept)
        size = lens.grid.shape[:2]
        ids, nearness = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.float32)
        through_lens(kept.ids, self._planes, lens.grid, camera.far, ids, nearness)
        return Seen(ids, nearness, matrices, self._planes, known, lens, kept)

    def _view(self, carriers: Array, view: Array, camera: Camera, lens: Pinhole, matrices: Float) -> View:
        """The buffers of a view with the fixed parts drawn, from the last frame if nothing of that has changed."""
        numbers = (*lens.parameters, lens.width, lens.height, camera.near, camera.far, camera.exposure)
        key = np.array(numbers).tobytes() + view.tobytes() + carriers[self._fixed_rows].tobytes()
        kept = self._views.get(key)
        if kept is None:
            size, count = (lens.height, lens.width), self._list.geometry.vertices.shape[1]
            kept = View(
                fixed_ids=np.full(size, -1, dtype=np.int32),
                fixed_nearness=np.full(size, 1 / camera.far, dtype=np.float32),
                ids=np.empty(size, dtype=np.int32),
                nearness=np.empty(size, dtype=np.float32),
                points=np.empty((3, count), dtype=np.float32),
                screen=np.empty((4, count), dtype=np.int32),
                to_world=np.ascontiguousarray(view[:, :3].T, dtype=np.float32),
                lights={},
                kept={},
            )
            self._draw(self._list.fixed, matrices, camera, lens, kept, kept.fixed_nearness, kept.fixed_ids)
            if camera.parent is None and size[0] * size[1] <= _KEPT_PIXELS:
                while len(self._views) >= _KEPT_VIEWS:
                    self._views.pop(next(iter(self._views)))
                self._views[key] = kept
        return kept

    def _draw(
        self,
        chosen: NDArray[np.bool_],
        matrices: Float,
        camera: Camera,
        lens: Pinhole,
        view: View,
        nearness: Float,
        ids: NDArray[np.int32],
    ) -> None:
        geometry = self._list.geometry
        room = view.points, view.screen, self._room
        draw(geometry, chosen, matrices, lens.parameters, camera.near, *room, nearness, ids)

    def _labels(self, seen: Seen, channels: Collection[str]) -> Made:
        """Those of depth, segmentation, links and normals that are among the channels."""
        size, made = seen.ids.shape, Made()
        if "depth" in channels:
            made["depth"] = np.empty(size, dtype=np.float32)
            write_depth(seen.ids, seen.nearness, made["depth"])
        for name, names in (("segmentation", self._list.instance), ("links", self._list.link)):
            if name in channels:
                made[name] = np.empty(size, dtype=np.int32)
                write_ids(seen.ids, self._list.geometry.part_of, names, made[name])
        if "normals" in channels:
            made["normals"] = np.empty((*size, 3), dtype=np.float32)
            write_normals(seen.ids, seen.planes, seen.pinhole.parameters, seen.pinhole.grid, made["normals"])
        return made

    def _picture(self, scene: Scene, carriers: Array, view: Array, camera: Camera, seen: Seen) -> NDArray[np.uint8]:
        shadows = self._shadows.cast(carriers, max(camera.width, camera.height))
        size = shadows.maps.shape[1]
        lights = seen.view.lights.get(size)
        if lights is None:
            lights = seen.view.lights[size] = lights_in(scene, shadows, view)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        kept = self._kept(scene, camera, seen, lights, shadows)
        if kept is None:
            self._shade(camera, seen, lights, shadows, rgb, ALL, _NOTHING)
        else:
            gain, tone = 2.0**camera.exposure, tone_curve()
            rgb.reshape(-1)[:] = kept.picture
            show_kept(kept, lights, shadows.maps, shadows.changed, gain, tone, self._scratch, rgb)
            self._shade(camera, seen, lights, shadows, rgb, MOVING, _NOTHING)
        return rgb

    def _kept(self, scene: Scene, camera: Camera, seen: Seen, lights: Lights, shadows: Shadows) -> Kept | None:
        """What is kept of a view, from its second frame on; None where nothing can be."""
        view, size, pixels = seen.view, shadows.maps.shape[1], camera.width * camera.height
        sharp = all(isinstance(light, DirectionalLight) and light.angle == 0 for light in scene.lights)
        if not sharp or camera.antialias > 1 or seen.pinhole.grid.size or pixels > _KEPT_PIXELS:
            return None
        if size not in view.kept:
            view.kept[size] = None
            return None
        kept = view.kept[size]
        if kept is None:
            count = len(scene.lights)
            kept = Kept(
                base=np.zeros((3, pixels), dtype=np.float32),
                direct=np.zeros((count, 3, pixels), dtype=np.float32),
                corner=np.zeros((count, pixels), dtype=np.int32),
                right=np.zeros((count, pixels), dtype=np.float32),
                below=np.zeros((count, pixels), dtype=np.float32),
                near=np.zeros((count, pixels), dtype=np.float32),
                picture=np.empty(3 * pixels, dtype=np.uint8),
            )
            fixed = seen._replace(ids=view.fixed_ids, nearness=view.fixed_nearness)
            self._shade(camera, fixed, lights, shadows, np.empty((0, 0, 3), dtype=np.uint8), KEEP, kept)
            show_all_kept(kept, lights, shadows.fixed, 2.0**camera.exposure, tone_curve(), self._scratch)
            view.kept[size] = kept
        return kept

    def _shade(
        self,
        camera: Camera,
        seen: Seen,
        lights: Lights,
        shadows: Shadows,
        rgb: NDArray[np.uint8],
        mode: int,
        kept: Kept,
    ) -> None:
        shade(
            self._list.geometry,
            self._list.looks,
            self._list.textures,
            lights,
            shadows.maps,
            seen.matrices,
            seen.view.points,
            seen.pinhole.parameters,
            seen.ids,
            seen.nearness,
            seen.pinhole.grid,
            seen.planes,
            seen.known,
            self._backdrop,
            seen.view.to_world,
            2.0**camera.exposure,
            camera.antialias,
            tone_curve(),
            self._scratch,
            np.zeros(rgb.shape if camera.antialias > 1 else (0, 0, 3), dtype=np.float32),
            rgb,
            mode,
            self._first_moving if mode == MOVING else 0,
            kept,
        )

    def _amodal(self, scene: Scene, carriers: Array, view: Array, camera: Camera) -> NDArray[np.bool_]:
        lens = pinhole(camera)
        matrices = placed(self._list, carriers, view)
        kept = self._view(carriers, view, camera, lens, matrices)
        masks = np.empty((len(scene.instances), camera.height, camera.width), dtype=np.bool_)
        for mask, instance in zip(masks, scene.instances.values(), strict=True):
            kept.nearness[:] = 1 / camera.far
            self._draw(self._list.instance == instance, matrices, camera, lens, kept, kept.nearness, NO_IDS)
            mask_through_lens(kept.nearness, lens.grid, camera.far, mask)
        return masks


def _needed(channels: Collection[str]) -> set[str]:
    """The labels to write: those asked for, and those that others are derived from."""
    asked = set(channels) & {"depth", "segmentation", "links", "normals"}
    return asked | {"depth", "segmentation", "links"} if DERIVED & set(channels) else asked
