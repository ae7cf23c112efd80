"""Mitsuba 3 behind the renderer interface: path-traced pictures, for test sets that look like photographs."""

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import LINEAR, encode
from simworld.errors import ConfigurationError
from simworld.extras import extras
from simworld.geometry import Array, quat_to_matrix
from simworld.rendering.apart import light_of_room, scenery
from simworld.rendering.derived import DERIVED, derive
from simworld.rendering.frame import (
    DEFAULT_CHANNELS,
    UNDISTORTED,
    WANT_NEXT,
    Frame,
    check_channels,
    empty,
    refuse,
)
from simworld.rendering.out_of_focus import far_away
from simworld.rendering.poses import poses_of
from simworld.rendering.raster.static_cache import cache_background
from simworld.rendering.renderers.raster import DETAIL, RasterRenderer
from simworld.rendering.textures.panorama import environment
from simworld.scene.camera import NO_DISTORTION, Camera
from simworld.scene.lens import rays
from simworld.scene.light import Background, SolidBackground
from simworld.scene.model import Scene
from simworld.scene.sensor import Sensor
from simworld.scene.state import SceneState, camera_pose

_VARIANT = "scalar_rgb"
# Mitsuba's own choice depends on the number of cores, and every block has its own random numbers.
_BLOCK = 32


_WIDEST = 100.0
"""Image width in focal lengths."""
_BLACK = SolidBackground(color=(0.0, 0.0, 0.0))
_SOME = 0.01
"""The share of a pixel from which its light is known."""
_STOPS = (-6.0, -4.0, -2.0, 0.0)
"""Exposures of the pictures that are put together to light of any strength."""
_IN_THE_MIDDLE = {"camera.*.principal.x": (0,), "camera.*.principal.y": (0,), "sensor.crop": (1,)}
"""Where the principal point has to be for its lens."""


class MitsubaRenderer:
    """Traces `samples` paths a pixel, of up to `max_depth` segments (2 is direct light only).

    What lights without shadows add is direct alone, and is `raster`'s: no path can go through what is in its way.

    Meshes are simplified by up to `error` metres. Lights lie in the path of reflections but are not seen themselves;
    the background is seen but gives no light, which comes from `Scene.lights` and `Scene.ambient`. So does a room, as
    `raster` draws it: it keeps no light out. What lies flat, such as a cloth, is traced. A lens shows background and
    room as it does what is infinitely far away.
    """

    channels: Collection[str] = frozenset({"rgb", "depth", "segmentation", "links", "normals"}) | DERIVED
    drawable: Mapping[str, tuple[Any, ...]] = UNDISTORTED
    drawable_with_aperture: Mapping[str, tuple[Any, ...]] = {**UNDISTORTED, **_IN_THE_MIDDLE}
    longest = 32.0

    def __init__(self, samples: int = 64, max_depth: int = 8, error: float = 0.0) -> None:
        for name, value, least in (("samples", samples, 1), ("max_depth", max_depth, 1), ("error", error, 0)):
            if not value >= least:
                raise ConfigurationError(f"{name}: must be at least {least}, got {value}")
        with extras():
            import mitsuba
        self._mi: Any = mitsuba
        self._samples, self._max_depth, self._error = samples, max_depth, error
        self._raster = RasterRenderer(DETAIL if error > 0 else 0.0)
        self.close()

    def __reduce__(self) -> tuple[type["MitsubaRenderer"], tuple[int, int, float]]:
        return MitsubaRenderer, (self._samples, self._max_depth, self._error)

    def close(self) -> None:
        """Give memory back; closing twice is harmless."""
        self._scene: Scene | None = None
        self._unshadowed: Scene | None = None
        self._around: Scene | None = None
        self._pieces: list[Any] = []
        self._placed: bytes = b""
        self._traced: dict[bool, Any] = {}

    def render(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str] = DEFAULT_CHANNELS,
        next_state: SceneState | None = None,
    ) -> Frame:
        """Render one frame of the camera's size; the same arguments give the same bits."""
        channels = check_channels("mitsuba", self.channels, channels, next_state)
        _check(scene, camera)
        made: dict[str, NDArray[Any]] = {}
        later = None
        with self._variant():
            if "rgb" in channels:
                made["rgb"] = self._picture(scene, state, camera)
            if set(channels) - {"rgb"}:
                made |= self._labels(scene, state, camera)
            if next_state is not None and WANT_NEXT & set(channels):
                later = self._labels(scene, next_state, camera)
        made |= empty(DERIVED & set(channels), scene, camera)
        derive(channels, scene, state, camera, made, next_state, later)
        return Frame(**{name: made[name] for name in channels})

    @contextmanager
    def _variant(self) -> Iterator[None]:
        """Mitsuba's variant is one for the process: a user's own is put back."""
        before = self._mi.variant()
        self._mi.set_variant(_VARIANT)
        try:
            yield
        finally:
            if before is not None:
                self._mi.set_variant(before)

    def _picture(self, scene: Scene, state: SceneState, camera: Camera) -> NDArray[np.uint8]:
        integrator = {"type": "path", "max_depth": self._max_depth, "hide_emitters": True}
        sampler = {"type": "multijitter", "sample_count": self._samples}
        image = self._trace(scene, state, camera, integrator, sampler, lit=True)
        seen, hit = image[..., :3], image[..., 3:]
        if not all(light.shadow for light in scene.lights):
            seen = seen + self._shadowless(scene, state, camera)
        behind, share = self._beyond(scene, state, camera)
        alone = seen / np.maximum(hit, 1e-9)
        if self._around is not None and not camera.aperture:
            linear = np.where(hit > 0, (1 - share) * alone + share * behind, behind)
        else:
            # Past the edge of what is near a lens sees what a pinhole does not.
            linear = seen + (1 - hit) * np.where(share > _SOME, behind, alone)
        return encode(linear * 2.0**camera.exposure)

    def _beyond(self, scene: Scene, state: SceneState, camera: Camera) -> tuple[Array, Array]:
        """Linear light (h, w, 3) of what is not traced, and the share (h, w, 1) of each pixel where that is seen."""
        if self._around is None:
            behind = _behind(scene.background, camera, quat_to_matrix(camera_pose(scene, state, camera)[3:]))
            share = np.ones((*behind.shape[:2], 1))
        else:
            behind, share = light_of_room(self._raster, self._around, state, camera)
        return far_away(behind, share, camera) if camera.aperture else (behind, share)

    def _shadowless(self, scene: Scene, state: SceneState, camera: Camera) -> Array:
        """Linear light (h, w, 3) that the lights without shadows bring straight to the camera."""
        if self._unshadowed is None:
            lights = tuple(light for light in scene.lights if not light.shadow)
            dark = {"lights": lights, "ambient": (0.0,) * 3, "background": _BLACK, "scenery": scenery(scene, flat=True)}
            self._unshadowed = scene.model_copy(update=dark)
        linear = np.zeros((camera.height, camera.width, 3))
        # Bytes hold light up to 1: the darker pictures are for where the brighter ones are white.
        for stops in _STOPS:
            seen = camera.model_copy(update={"exposure": stops, "antialias": 4, "sensor": Sensor()})
            rgb = self._raster.render(self._unshadowed, state, seen, ("rgb",)).rgb
            linear = np.where((rgb < 255) | (stops == _STOPS[0]), LINEAR[rgb] / 65535 / 2.0**stops, linear)
        return linear

    def _labels(self, scene: Scene, state: SceneState, camera: Camera) -> dict[str, NDArray[Any]]:
        integrator = {"type": "aov", "aovs": "point:position,normal:sh_normal,triangle:prim_index"}
        # One sample in the middle of the pixel.
        sampler = {"type": "stratified", "sample_count": 1, "jitter": False}
        image = self._trace(scene, state, camera, integrator, sampler, lit=False)
        pose = camera_pose(scene, state, camera)
        rotation = quat_to_matrix(pose[3:])
        seen: NDArray[np.bool_] = np.any(image[..., 3:6] != 0, axis=-1)
        ids = np.where(seen[..., None], self._ids[np.rint(image[..., 6]).astype(np.int64)], 0)
        depth = (image[..., :3] - pose[:3]) @ rotation[:, 2]
        normals = image[..., 3:6] @ rotation
        away = (normals * _rays(camera)).sum(axis=-1, keepdims=True) > 0
        normals = np.where(away, -normals, normals)
        return {
            "depth": np.where(seen, depth, 0).astype(np.float32),
            "segmentation": np.ascontiguousarray(ids[..., 0]),
            "links": np.ascontiguousarray(ids[..., 1]),
            "normals": np.where(seen[..., None], normals, 0).astype(np.float32),
        }

    def _trace(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        integrator: dict[str, Any],
        sampler: dict[str, Any],
        lit: bool,
    ) -> Array:
        traced = self._load(scene, state, lit)
        pinhole = self._sensor(camera, camera_pose(scene, state, camera))
        lens = _thin(pinhole, camera) if lit and camera.aperture else pinhole
        sensor = self._mi.load_dict(lens | {"sampler": sampler})
        method = self._mi.load_dict(integrator | {"block_size": _BLOCK})
        image = self._mi.render(traced, sensor=sensor, integrator=method, seed=0, spp=sampler["sample_count"])
        return np.array(image, dtype=np.float64)

    def _load(self, scene: Scene, state: SceneState, lit: bool) -> Any:
        """The scene for rays, with its lights or without; kept until the scene or a pose changes."""
        from simworld.rendering import mitsuba_scene

        carriers = poses_of(scene, state)
        if scene != self._scene:
            self.close()
            self._scene, self._pieces = scene, mitsuba_scene.pieces(scene, self._error)
            if standing := scenery(scene, flat=False):
                self._around = scene.model_copy(update={"scenery": standing})
            ids = [(piece.surface.instance, piece.surface.link) for piece in self._pieces]
            triangles = [len(piece.corners) // 3 for piece in self._pieces]
            self._ids = np.array(ids, dtype=np.int32).repeat(triangles, axis=0)
        if carriers.tobytes() != self._placed:
            self._placed, self._traced = carriers.tobytes(), {}
        if lit not in self._traced:
            parts = mitsuba_scene.placed(self._pieces, carriers, lit)
            parts += mitsuba_scene.emitters(scene) if lit else []
            named = {f"part{i}": part for i, part in enumerate(parts)}
            self._traced[lit] = self._mi.load_dict({"type": "scene"} | named)
        return self._traced[lit]

    def _sensor(self, camera: Camera, pose: Array) -> dict[str, Any]:
        to_world = np.eye(4)
        # Mitsuba's camera looks along z too, with x to the left and y up.
        to_world[:3, :3] = quat_to_matrix(pose[3:]) * np.array([-1.0, -1.0, 1.0])
        to_world[:3, 3] = pose[:3]
        return {
            "type": "perspective",
            "to_world": self._mi.ScalarTransform4f(to_world),
            "fov": math.degrees(2 * math.atan(camera.width / (2 * camera.fx))),
            "fov_axis": "x",
            "principal_point_offset_x": 0.5 - camera.cx / camera.width,
            "principal_point_offset_y": 0.5 - camera.cy / camera.height,
            "near_clip": camera.near,
            "far_clip": camera.far,
            "film": {
                "type": "hdrfilm",
                "width": camera.width,
                "height": camera.height,
                "pixel_format": "rgba",
                "component_format": "float32",
                "rfilter": {"type": "box"},
            },
        }


def _thin(pinhole: dict[str, Any], camera: Camera) -> dict[str, Any]:
    """The camera with its lens instead of a pinhole."""
    kept = {name: value for name, value in pinhole.items() if not name.startswith("principal_point")}
    return kept | {"type": "thinlens", "aperture_radius": camera.aperture, "focus_distance": camera.focus}


def _check(scene: Scene, camera: Camera) -> None:
    """Raise ConfigurationError for what Mitsuba cannot do."""
    refused = {
        "lens distortion": camera.distortion != NO_DISTORTION,
        "pixels that are not square (fx other than fy)": not math.isclose(camera.fx, camera.fy),
        "an aperture with the principal point off the middle": bool(camera.aperture)
        and (camera.cx, camera.cy) != (camera.width / 2, camera.height / 2),
        "so wide a field of view": camera.width / camera.fx > _WIDEST,
    }
    refuse("mitsuba", refused)


def _rays(camera: Camera) -> Array:
    """Directions (h, w, 3) through the pixels' centres in the camera's frame, with z 1."""
    x, y = rays(camera)
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def _behind(background: Background, camera: Camera, to_world: Array) -> Array:
    """Linear colour (h, w, 3) of the background; `to_world` (3, 3) turns out of the camera."""
    nothing = np.full((camera.height, camera.width), -1, dtype=np.int32)
    radiance = np.empty((3, nothing.size), dtype=np.float32)
    turn = np.ascontiguousarray(to_world, dtype=np.float32)
    lens = camera.fx, camera.fy, camera.cx, camera.cy
    cache_background(nothing, lens, environment(background), turn, radiance)
    return radiance.T.reshape(*nothing.shape, 3).astype(np.float64)


RENDERER = MitsubaRenderer
