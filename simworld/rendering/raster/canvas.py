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
from simworld.rendering.raster.fragments import Samples, find_fragments
from simworld.rendering.raster.gathering import ALL, CACHE, MOVING
from simworld.rendering.raster.labelling import mask_through_lens, through_lens, write_depth, write_ids, write_normals
from simworld.rendering.raster.planes import PLANE, set_up
from simworld.rendering.raster.shading import Stage, shade
from simworld.rendering.raster.shadow_maps import ShadowMaps, Shadows
from simworld.rendering.raster.spans import spans
from simworld.rendering.raster.static_cache import fill_picture, renew_changed
from simworld.rendering.raster.visibility import NO_IDS, draw
from simworld.rendering.raster.work import scratch
from simworld.rendering.textures.panorama import environment
from simworld.scene.camera import Camera
from simworld.scene.lens import Pinhole, pinhole
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

Float = NDArray[np.float32]
Made = dict[str, NDArray[Any]]

_MOST_TARGETS = 8
_MOST_CACHED_SAMPLES = 5 << 18
"""Of a view, for which what is seen of fixed parts is kept: 640 x 480 pixels of 2 x 2."""


class StaticCache(NamedTuple):
    """What light does to the fixed parts of a view but for shadows, by fragment, pixel after pixel.

    `base` (3, n) radiance without lights; `direct` (l, 3, n) what each light adds where nothing is in its way, which
    the four texels at and around `corner` (l, n) of its shadow map say, that are `right` of it, `below` it, and
    compared with `near` (l, n). Pixel p has the fragments from `starts[p]` to the next, which its `samples` (n,) see;
    both are empty where a pixel is one sample. `picture` (3 h w,) is what that looks like where fixed parts alone throw
    shadows.
    """

    base: Float
    direct: Float
    corner: NDArray[np.int32]
    right: Float
    below: Float
    near: Float
    starts: NDArray[np.int32]
    samples: NDArray[np.int32]
    picture: NDArray[np.uint8]


class RenderTarget(NamedTuple):
    """Buffers of a pinhole image, and what fixed parts look like in it: `shadows` and `caches` by the image's size."""

    fixed_ids: NDArray[np.int32]
    fixed_inverse_depth: Float
    ids: NDArray[np.int32]
    inverse_depth: Float
    points: Float
    screen: NDArray[np.int32]
    to_world: Float
    shadows: dict[tuple[int, int], Shadows]
    caches: dict[tuple[int, int], StaticCache | None]


class VisibilityBuffer(NamedTuple):
    """What a camera sees: the triangle and the inverse depth of each of its samples, and what shading needs of them."""

    ids: NDArray[np.int32]
    inverse_depth: Float
    matrices: Float
    planes: Float
    known: NDArray[np.bool_]
    pinhole: Pinhole
    target: RenderTarget


_EMPTY = np.empty((0, 0), dtype=np.float32)
_NONE = np.empty(0, dtype=np.int32)
_NO_CACHE = StaticCache(
    base=_EMPTY,
    direct=np.empty((0, 0, 0), dtype=np.float32),
    corner=NO_IDS,
    right=_EMPTY,
    below=_EMPTY,
    near=_EMPTY,
    starts=_NONE,
    samples=_NONE,
    picture=np.empty(0, dtype=np.uint8),
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
            visible = self._visibility(carriers, view, camera, 1, "normals" in channels)
            made |= self._labels(visible, labels)
        if "rgb" in channels:
            if camera.antialias > 1:
                visible = self._visibility(carriers, view, camera, camera.antialias, False)
            made["rgb"] = self._picture(scene, carriers, view, camera, visible)
        if "amodal" in channels:
            made["amodal"] = self._amodal(scene, carriers, view, camera)
        later = None
        if next_state is not None and WANT_NEXT & set(channels):
            visible = self._visibility(*self._pose(scene, next_state, camera), camera, 1, False)
            later = self._labels(visible, {"depth"})
        made |= derived(channels, scene, state, camera, made, next_state, later)
        return Frame(**{name: made[name] for name in channels})

    def _begin(self, drawn: DrawList, scene: Scene) -> None:
        # Nothing of the last scene is left to draw with if this ends half way.
        self._drawn = None
        self._moving = ~drawn.fixed
        self._first_moving = int(drawn.geometry.triangle_starts[np.count_nonzero(drawn.fixed)])
        self._fixed_rows = np.unique(drawn.carrier[drawn.fixed])
        self._targets: dict[bytes, RenderTarget] = {}
        self._shadows = ShadowMaps(scene, drawn.full)
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

    def _visibility(self, carriers: Array, view: Array, camera: Camera, factor: int, planes: bool) -> VisibilityBuffer:
        """What the camera sees, with `factor` x `factor` samples to a pixel; `planes` are filled on request."""
        lens = pinhole(camera, factor)
        matrices = placed(self._list, carriers, view)
        target = self._target(carriers, view, camera, lens, matrices)
        np.copyto(target.ids, target.fixed_ids)
        np.copyto(target.inverse_depth, target.fixed_inverse_depth)
        self._draw(self._moving, matrices, camera, lens, target, target.inverse_depth, target.ids)
        known = np.zeros(len(self._planes), dtype=np.bool_)
        if planes or lens.grid.size:
            set_up(
                self._list.geometry,
                self._list.materials,
                matrices,
                target.points,
                lens.parameters,
                target.ids,
                self._planes,
                known,
            )
        if not lens.grid.size:
            return VisibilityBuffer(target.ids, target.inverse_depth, matrices, self._planes, known, lens, target)
        size = lens.grid.shape[:2]
        ids, inverse_depth = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.float32)
        through_lens(target.ids, self._planes, lens.grid, camera.far, ids, inverse_depth)
        return VisibilityBuffer(ids, inverse_depth, matrices, self._planes, known, lens, target)

    def _target(self, carriers: Array, view: Array, camera: Camera, lens: Pinhole, matrices: Float) -> RenderTarget:
        """The buffers of a view with the fixed parts drawn, from the last frame if nothing of that has changed."""
        numbers = (*lens.parameters, lens.width, lens.height, camera.near, camera.far, camera.exposure)
        key = np.array(numbers).tobytes() + view.tobytes() + carriers[self._fixed_rows].tobytes()
        target = self._targets.get(key)
        if target is None:
            size, count = (lens.height, lens.width), self._list.geometry.vertices.shape[1]
            target = RenderTarget(
                fixed_ids=np.full(size, -1, dtype=np.int32),
                fixed_inverse_depth=np.full(size, 1 / camera.far, dtype=np.float32),
                ids=np.empty(size, dtype=np.int32),
                inverse_depth=np.empty(size, dtype=np.float32),
                points=np.empty((3, count), dtype=np.float32),
                screen=np.empty((4, count), dtype=np.int32),
                to_world=np.ascontiguousarray(view[:, :3].T, dtype=np.float32),
                shadows={},
                caches={},
            )
            self._draw(self._list.fixed, matrices, camera, lens, target, target.fixed_inverse_depth, target.fixed_ids)
            if camera.parent is None and size[0] * size[1] <= _MOST_CACHED_SAMPLES:
                while len(self._targets) >= _MOST_TARGETS:
                    self._targets.pop(next(iter(self._targets)))
                self._targets[key] = target
        return target

    def _draw(
        self,
        chosen: NDArray[np.bool_],
        matrices: Float,
        camera: Camera,
        lens: Pinhole,
        target: RenderTarget,
        inverse_depth: Float,
        ids: NDArray[np.int32],
    ) -> None:
        geometry = self._list.geometry
        room = target.points, target.screen, self._room
        draw(geometry, chosen, matrices, lens.parameters, camera.near, *room, inverse_depth, ids)

    def _labels(self, visible: VisibilityBuffer, channels: Collection[str]) -> Made:
        """Those of depth, segmentation, links and normals that are among the channels."""
        size, made = visible.ids.shape, Made()
        if "depth" in channels:
            made["depth"] = np.empty(size, dtype=np.float32)
            write_depth(visible.ids, visible.inverse_depth, made["depth"])
        for name, names in (("segmentation", self._list.instance), ("links", self._list.link)):
            if name in channels:
                made[name] = np.empty(size, dtype=np.int32)
                write_ids(visible.ids, self._list.geometry.part_of, names, made[name])
        if "normals" in channels:
            made["normals"] = np.empty((*size, 3), dtype=np.float32)
            write_normals(
                visible.ids, visible.planes, visible.pinhole.parameters, visible.pinhole.grid, made["normals"]
            )
        return made

    def _picture(
        self, scene: Scene, carriers: Array, view: Array, camera: Camera, visible: VisibilityBuffer
    ) -> NDArray[np.uint8]:
        shadows = self._cast(carriers, view, camera, visible)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        stage = self._stage(camera, visible, shadows)
        samples = Samples(
            visible.ids,
            visible.inverse_depth,
            visible.target.fixed_ids,
            visible.target.fixed_inverse_depth,
            visible.pinhole.grid,
        )
        if not _cacheable(scene, camera, visible):
            self._shade(stage, samples, visible, camera, ALL, -1, _NO_CACHE, rgb)
            return rgb
        cache = self._cache(stage, samples, visible, camera, shadows.fixed)
        if cache is None:
            self._shade(stage, samples, visible, camera, ALL, self._first_moving, _NO_CACHE, rgb)
            return rgb
        gain, tone = 2.0**camera.exposure, tone_curve()
        rgb.reshape(-1)[:] = cache.picture
        renew_changed(
            cache, shadows.lights, shadows.maps, shadows.changed, gain, tone, camera.antialias, self._scratch, rgb
        )
        self._shade(stage, samples, visible, camera, MOVING, self._first_moving, cache, rgb)
        return rgb

    def _cast(self, carriers: Array, view: Array, camera: Camera, visible: VisibilityBuffer) -> Shadows:
        """The shadow maps of a state, as a camera needs them."""
        parameters, target, size = visible.pinhole.parameters, visible.target, (camera.width, camera.height)
        if camera.parent is not None:
            return self._shadows.follow(carriers, camera, view, parameters, target.inverse_depth)
        shadows = target.shadows.get(size)
        if shadows is None:
            shadows = self._shadows.staying(carriers, camera, view, parameters, target.fixed_inverse_depth)
            target.shadows[size] = shadows
        self._shadows.renew(shadows, carriers)
        return shadows

    def _cache(
        self, stage: Stage, samples: Samples, visible: VisibilityBuffer, camera: Camera, maps: Float
    ) -> StaticCache | None:
        """The static cache of a view, from its second frame on; `maps` are those of fixed parts alone."""
        caches, size, lights = visible.target.caches, (camera.width, camera.height), stage.lights
        if size not in caches:
            caches[size] = None
            return None
        cache = caches[size]
        if cache is None:
            factor, pixels = camera.antialias, camera.width * camera.height
            starts, count = _NONE, pixels
            if factor > 1:
                starts = np.empty(pixels + 1, dtype=np.int32)
                count = find_fragments(stage.geometry, samples, factor, starts)
            table = len(lights.table)
            cache = StaticCache(
                base=np.zeros((3, count), dtype=np.float32),
                direct=np.zeros((table, 3, count), dtype=np.float32),
                corner=np.zeros((table, count), dtype=np.int32),
                right=np.zeros((table, count), dtype=np.float32),
                below=np.zeros((table, count), dtype=np.float32),
                near=np.zeros((table, count), dtype=np.float32),
                starts=starts,
                samples=np.zeros(count if factor > 1 else 0, dtype=np.int32),
                picture=np.empty(3 * pixels, dtype=np.uint8),
            )
            fixed = samples._replace(ids=samples.fixed_ids, inverse_depth=samples.fixed_inverse_depth)
            self._shade(stage, fixed, visible, camera, CACHE, -1, cache, np.empty((0, 0, 3), dtype=np.uint8))
            fill_picture(cache, lights, maps, stage.exposure, stage.tone, factor, self._scratch)
            caches[size] = cache
        return cache

    def _stage(self, camera: Camera, visible: VisibilityBuffer, shadows: Shadows) -> Stage:
        return Stage(
            geometry=self._list.geometry,
            materials=self._list.materials,
            textures=self._list.textures,
            lights=shadows.lights,
            shadows=shadows.maps,
            matrices=visible.matrices,
            points=visible.target.points,
            pinhole=visible.pinhole.parameters,
            backdrop=self._backdrop,
            to_world=visible.target.to_world,
            exposure=2.0**camera.exposure,
            tone=tone_curve(),
        )

    def _shade(
        self,
        stage: Stage,
        samples: Samples,
        visible: VisibilityBuffer,
        camera: Camera,
        mode: int,
        least: int,
        cache: StaticCache,
        rgb: NDArray[np.uint8],
    ) -> None:
        shade(
            stage,
            samples,
            visible.planes,
            visible.known,
            camera.antialias,
            mode,
            least,
            cache,
            self._scratch,
            rgb,
        )

    def _amodal(self, scene: Scene, carriers: Array, view: Array, camera: Camera) -> NDArray[np.bool_]:
        lens = pinhole(camera)
        matrices = placed(self._list, carriers, view)
        target = self._target(carriers, view, camera, lens, matrices)
        masks = np.empty((len(scene.instances), camera.height, camera.width), dtype=np.bool_)
        for mask, instance in zip(masks, scene.instances.values(), strict=True):
            target.inverse_depth[:] = 1 / camera.far
            self._draw(self._list.instance == instance, matrices, camera, lens, target, target.inverse_depth, NO_IDS)
            mask_through_lens(target.inverse_depth, lens.grid, camera.far, mask)
        return masks


def _cacheable(scene: Scene, camera: Camera, visible: VisibilityBuffer) -> bool:
    """Whether a view's light on fixed parts can be kept: what is then the same whether it is or not depends on it."""
    sharp = all(isinstance(light, DirectionalLight) and light.angle == 0 for light in scene.lights)
    pinhole, still = visible.pinhole.grid.size == 0, camera.parent is None
    return sharp and pinhole and still and visible.ids.size <= _MOST_CACHED_SAMPLES


def _needed(channels: Collection[str]) -> set[str]:
    """The labels to write: those asked for, and those that others are derived from."""
    asked = set(channels) & {"depth", "segmentation", "links", "normals"}
    return asked | {"depth", "segmentation", "links"} if DERIVED & set(channels) else asked
