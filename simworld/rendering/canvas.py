"""One thread's drawing: buffers, and what stays the same from frame to frame of a scene."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array, compose, quat_to_matrix
from simworld.rendering.color import tone_curve
from simworld.rendering.derived import DERIVED, derived
from simworld.rendering.drawlist import Casters, DrawList, casters
from simworld.rendering.frame import WANT_NEXT, Frame
from simworld.rendering.kernels import place, to_view
from simworld.rendering.labels import mask_through_lens, through_lens, write_depth, write_ids, write_normals
from simworld.rendering.lens import Pinhole, pinhole
from simworld.rendering.lights import Lights, MapView, light_table, map_views
from simworld.rendering.shading import ALL, KEEP, MOVING, PLANE, set_up, shade, show_kept
from simworld.rendering.textures import environment
from simworld.rendering.visibility import draw, draw_parallel
from simworld.rendering.work import scratch
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Scene
from simworld.scene.shapes import half_extents
from simworld.scene.state import SceneState, camera_pose

Float = NDArray[np.float32]
Made = dict[str, NDArray[Any]]

SHADOW_SIZES = (256, 512, 1024)
"""Texels along a side of the shadow maps, for images up to 128, 400 and more pixels."""
_KEPT_VIEWS = 8
_KEPT_PIXELS = 1 << 20
_ARM_REACH = 0.6
_BEHIND = -1e9
_NEAREST_CASTER = 0.02
"""Metres from a lamp within which nothing throws a shadow."""
_SHADOW_ERROR = 0.5
"""Share of a shadow map's texel by which what throws a shadow may differ."""


class Kept(NamedTuple):
    """What light does to the fixed parts of a view but for shadows, by pixel, row by row.

    `base` (3, n) radiance without lights; `direct` (l, 3, n) what each light adds where nothing is in its way, which
    the four texels at and around `corner` (l, n) of its shadow map say, that are `right` of it, `below` it, and
    compared with `near` (l, n).
    """

    base: Float
    direct: Float
    corner: NDArray[np.int32]
    right: Float
    below: Float
    near: Float


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


class Shadows(NamedTuple):
    """Shadow maps (m, n, n) of a state, those of fixed parts alone, and from where they are seen."""

    maps: Float
    fixed: Float
    views: list[MapView]
    firsts: NDArray[np.int32]
    counts: NDArray[np.int32]


_EMPTY = np.empty((0, 0), dtype=np.float32)
_NOTHING = Kept(_EMPTY, np.empty((0, 0, 0), dtype=np.float32), np.empty((0, 0), dtype=np.int32), _EMPTY, _EMPTY, _EMPTY)


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
        if labels or camera.antialias == 1:
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
        self._drawn = drawn
        self._moving = ~drawn.fixed
        self._fixed_rows = np.unique(drawn.carrier[drawn.fixed])
        self._views: dict[bytes, View] = {}
        self._shadows: dict[int, tuple[bytes, bytes, Shadows]] = {}
        self._backdrop = environment(scene.background)
        self._casters: dict[int, Casters] = {}
        self._planes = np.empty((len(drawn.geometry.triangles), PLANE), dtype=np.float32)
        self._box = _extent(scene)

    @property
    def _list(self) -> DrawList:
        assert self._drawn is not None
        return self._drawn

    def _pose(self, scene: Scene, state: SceneState, camera: Camera) -> tuple[Array, Array]:
        """Carriers (n, 7) of a state, and the matrix (3, 4) from the world to the camera."""
        carriers = np.concatenate([state.link_poses, state.body_poses])
        if not np.isfinite(carriers).all():
            raise RenderError("a pose of the scene's state is not finite")
        view = np.empty((3, 4))
        to_view(camera_pose(scene, state, camera), view)
        return carriers, view

    def _see(self, carriers: Array, view: Array, camera: Camera, factor: int, planes: bool) -> Seen:
        """What the camera sees, with `factor` x `factor` samples to a pixel; `planes` are filled on request."""
        lens = pinhole(camera, factor)
        matrices = _placed(self._list, carriers, view)
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
        numbers = (*lens.parameters, lens.width, lens.height, camera.near, camera.far)
        key = np.array(numbers).tobytes() + view.tobytes() + carriers[self._fixed_rows].tobytes()
        kept = self._views.get(key)
        if kept is None:
            size, count = (lens.height, lens.width), len(self._list.geometry.vertices)
            kept = View(
                fixed_ids=np.full(size, -1, dtype=np.int32),
                fixed_nearness=np.full(size, 1 / camera.far, dtype=np.float32),
                ids=np.empty(size, dtype=np.int32),
                nearness=np.empty(size, dtype=np.float32),
                points=np.empty((count, 3), dtype=np.float32),
                screen=np.empty((count, 4), dtype=np.int32),
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
        draw(geometry, chosen, matrices, lens.parameters, camera.near, view.points, view.screen, nearness, ids)

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
        shadows = self._shadow_maps(scene, carriers, max(camera.width, camera.height))
        size = shadows.maps.shape[1]
        lights = seen.view.lights.get(size)
        if lights is None:
            lights = seen.view.lights[size] = _lights(scene, shadows, view)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        kept = self._kept(scene, camera, seen, lights, shadows)
        if kept is None:
            self._shade(camera, seen, lights, shadows, rgb, ALL, _NOTHING)
        else:
            show_kept(kept, lights, shadows.maps, 2.0**camera.exposure, tone_curve(), self._scratch, rgb)
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
            kept = view.kept[size] = Kept(
                base=np.zeros((3, pixels), dtype=np.float32),
                direct=np.zeros((count, 3, pixels), dtype=np.float32),
                corner=np.zeros((count, pixels), dtype=np.int32),
                right=np.zeros((count, pixels), dtype=np.float32),
                below=np.zeros((count, pixels), dtype=np.float32),
                near=np.zeros((count, pixels), dtype=np.float32),
            )
            fixed = seen._replace(ids=view.fixed_ids, nearness=view.fixed_nearness)
            self._shade(camera, fixed, lights, shadows, np.empty((0, 0, 3), dtype=np.uint8), KEEP, kept)
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
            self._list.fixed,
            kept,
        )

    def _amodal(self, scene: Scene, carriers: Array, view: Array, camera: Camera) -> NDArray[np.bool_]:
        lens = pinhole(camera)
        matrices = _placed(self._list, carriers, view)
        kept = self._view(carriers, view, camera, lens, matrices)
        masks = np.empty((len(scene.instances), camera.height, camera.width), dtype=np.bool_)
        none = np.empty((0, 0), dtype=np.int32)
        for mask, instance in zip(masks, scene.instances.values(), strict=True):
            kept.nearness[:] = 0
            self._draw(self._list.instance == instance, matrices, camera, lens, kept, kept.nearness, none)
            mask_through_lens(kept.nearness, lens.grid, mask)
        return masks

    def _shadow_maps(self, scene: Scene, carriers: Array, pixels: int) -> Shadows:
        """The shadow maps of a state; those of fixed parts are kept, and all of them if nothing has moved."""
        size = next((s for s, most in zip(SHADOW_SIZES, (128, 400), strict=False) if pixels <= most), SHADOW_SIZES[-1])
        fixed, now = carriers[self._fixed_rows].tobytes(), carriers.tobytes()
        kept = self._shadows.get(size)
        if kept is not None and kept[1] == now:
            return kept[2]
        casting = self._casting(scene, size)
        if kept is None or kept[0] != fixed:
            shadows = self._new_shadows(scene, size)
            _cast(carriers, shadows, casting, casting.fixed, shadows.fixed)
        else:
            shadows = kept[2]
        np.copyto(shadows.maps, shadows.fixed)
        _cast(carriers, shadows, casting, ~casting.fixed, shadows.maps)
        self._shadows[size] = (fixed, now, shadows)
        return shadows

    def _new_shadows(self, scene: Scene, size: int) -> Shadows:
        views = [map_views(light, size, self._box) for light in scene.lights]
        count = np.array([len(v) for v in views], dtype=np.int32)
        first = np.where(count > 0, np.cumsum(count) - count, -1).astype(np.int32)
        flat = [view for one in views for view in one]
        fixed = np.zeros((len(flat), size, size), dtype=np.float32)
        for view, nearness in zip(flat, fixed, strict=True):
            nearness[:] = 0 if view.focal else _BEHIND
        return Shadows(np.empty_like(fixed), fixed, flat, first, count)

    def _casting(self, scene: Scene, size: int) -> Casters:
        """What throws shadows, as finely as a map of `size` texels shows."""
        if size not in self._casters:
            texel = float(np.linalg.norm(self._box[1] - self._box[0])) / size
            error = max(self._list.error, _SHADOW_ERROR * texel) if self._list.error > 0 else 0.0
            self._casters[size] = casters(scene, error)
        return self._casters[size]


def _placed(parts: Casters, carriers: Array, view: Array) -> Float:
    """Matrices (p, 3, 4) that bring the parts to a view (3, 4)."""
    matrices = np.empty((len(parts.carrier), 3, 4), dtype=np.float32)
    place(carriers, parts.carrier, parts.local, view, matrices)
    return matrices


def _cast(carriers: Array, shadows: Shadows, parts: Casters, chosen: NDArray[np.bool_], maps: Float) -> None:
    """Draw the chosen parts into shadow maps."""
    count = len(parts.geometry.vertices)
    points, screen = np.empty((count, 3), dtype=np.float32), np.empty((count, 4), dtype=np.int32)
    none = np.empty((0, 0), dtype=np.int32)
    for view, nearness in zip(shadows.views, maps, strict=True):
        matrices = _placed(parts, carriers, view.matrix)
        if view.focal:
            middle = nearness.shape[0] / 2
            pinhole = (view.focal, view.focal, middle, middle)
            draw(parts.geometry, chosen, matrices, pinhole, _NEAREST_CASTER, points, screen, nearness, none)
        else:
            draw_parallel(parts.geometry, chosen, matrices, points, screen, nearness, none)


def _needed(channels: Collection[str]) -> set[str]:
    """The labels to write: those asked for, and those that others are derived from."""
    asked = set(channels) & {"depth", "segmentation", "links", "normals"}
    return asked | {"depth", "segmentation", "links"} if DERIVED & set(channels) else asked


def _lights(scene: Scene, shadows: Shadows, view: Array) -> Lights:
    """The lights in the frame of a camera to which `view` (3, 4) takes world points."""
    to_maps = np.empty((len(shadows.views), 3, 4), dtype=np.float32)
    for out, seen in zip(to_maps, shadows.views, strict=True):
        # The map's matrix after the camera's inverse; einsum, as BLAS rounds differently on other machines.
        turned = np.einsum("ij,kj->ik", seen.matrix[:, :3], view[:, :3])
        out[:, :3] = turned
        out[:, 3] = seen.matrix[:, 3] - np.einsum("ij,j->i", turned, view[:, 3])
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

    That is all bodies but floors, and the arm's reach as far as it is over them, where they are as the scene begins.
    """
    boxes = []
    for body in scene.bodies:
        for part in body.parts if body.category != "floor" else ():
            place = compose(body.pose, [*part.position, *part.orientation])
            half = np.abs(quat_to_matrix(place[3:])) @ half_extents(part.shape)
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
