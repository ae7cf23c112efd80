"""The software rasterizer: fast, exact at the edges, without PyBullet, a display or a GPU."""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array, invert, quat_to_matrix
from simworld.rendering.drawlist import DrawList, draw_list, to_linear, tone_curve
from simworld.rendering.frame import DEFAULT_CHANNELS, Frame
from simworld.rendering.kernels import draw_perspective, draw_shadow, place, transform
from simworld.rendering.shading import shade
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Scene
from simworld.scene.state import SceneState, camera_pose

Float = NDArray[np.float32]

SHADOW_SIZES = (256, 512, 1024)
"""Texels along a side of the shadow map, for images up to 128, 400 and more pixels."""
_SHADOW_MIDDLE = np.array([-0.25, 0.0, 0.1])
_SHADOW_REACH = 1.0
"""The shadow map covers this many metres around a point above the table."""


class RasterRenderer:
    """Renders with compiled loops on one core; a pure function of (Scene, SceneState, Camera).

    What a scene's draw list holds is kept for the next frame of the same scene.
    """

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._list: DrawList | None = None

    channels: Collection[str] = DEFAULT_CHANNELS

    def render(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str] = DEFAULT_CHANNELS,
        next_state: SceneState | None = None,
    ) -> Frame:
        """Render one frame of the camera's size; poses that are not finite raise RenderError."""
        drawn = self._draw_list(scene)
        carriers = np.concatenate([state.link_poses, state.body_poses])
        if not np.isfinite(carriers).all():
            raise RenderError("a pose of the scene's state is not finite")
        view = _matrix(invert(camera_pose(scene, state, camera)))
        points, matrices = self._points(drawn, carriers, view)
        edges = np.empty((len(drawn.triangles), 3, 3), dtype=np.float32)
        size = (camera.height, camera.width)
        inverse_depth, ids = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.int32)
        pinhole = tuple(np.float32(value) for value in (camera.fx, camera.fy, camera.cx, camera.cy))
        draw_perspective(
            points,
            drawn.triangles,
            pinhole,
            np.float32(camera.near),
            np.float32(camera.far),
            inverse_depth,
            ids,
            edges,
        )
        light, to_light, shadows = self._light(drawn, scene, carriers, view, max(size))
        frame = Frame(
            rgb=np.empty((*size, 3), dtype=np.uint8),
            depth=np.empty(size, dtype=np.float32),
            segmentation=np.empty(size, dtype=np.int32),
        )
        shade(
            inverse_depth,
            ids,
            edges,
            drawn.triangles,
            drawn.normals,
            drawn.part_of,
            drawn.colors,
            drawn.instances,
            matrices,
            pinhole,
            light,
            to_light,
            shadows,
            tone_curve(),
            frame.rgb,
            frame.depth,
            frame.segmentation,
        )
        return frame

    def close(self) -> None:
        """Forget the last scene."""
        self._scene = self._list = None

    def _draw_list(self, scene: Scene) -> DrawList:
        if self._list is None or scene is not self._scene:
            self._scene, self._list = scene, draw_list(scene)
        return self._list

    @staticmethod
    def _points(drawn: DrawList, carriers: Array, view: Array) -> tuple[Float, Float]:
        """All vertices (v, 3) in a view, and the matrices (p, 3, 4) that brought the parts there."""
        matrices = np.empty((len(drawn.local), 3, 4), dtype=np.float32)
        points = np.empty_like(drawn.vertices)
        place(carriers, drawn.carrier, drawn.local, view, matrices)
        transform(drawn.vertices, drawn.vertex_starts, matrices, points)
        return points, matrices

    def _light(
        self, drawn: DrawList, scene: Scene, carriers: Array, view: Array, pixels: int
    ) -> tuple[Float, Float, Float]:
        """The light in the camera's frame, the transform of camera points to its shadow map, and the map."""
        spec = scene.lights[0]
        assert isinstance(spec, DirectionalLight)
        direction = np.array(spec.direction) / math.hypot(*spec.direction)
        light = [*(view[:, :3] @ direction), scene.ambient[0], spec.intensity, 0.05, *to_linear(spec.color)]
        if not spec.shadow:
            return np.array(light, dtype=np.float32), np.zeros((3, 4), np.float32), np.empty((0, 0), np.float32)
        size = next((s for s, most in zip(SHADOW_SIZES, (128, 400), strict=False) if pixels <= most), SHADOW_SIZES[-1])
        to_map = _light_matrix(direction, size)
        points, _ = self._points(drawn, carriers, to_map)
        shadows, ids = np.empty((size, size), dtype=np.float32), np.empty((size, size), dtype=np.int32)
        draw_shadow(points, drawn.casts, shadows, ids)
        # The map's matrix after the camera's inverse.
        to_light = np.empty((3, 4), dtype=np.float32)
        to_light[:, :3] = to_map[:, :3] @ view[:, :3].T
        to_light[:, 3] = to_map[:, 3] - to_light[:, :3] @ view[:, 3]
        return np.array(light, dtype=np.float32), to_light, shadows


def _matrix(pose: Array) -> Array:
    """The matrix (3, 4) of a pose (7,)."""
    return np.concatenate([quat_to_matrix(pose[3:]), pose[:3, None]], axis=1)


def _light_matrix(direction: Array, size: int) -> Array:
    """World points to texels and nearness (3, 4) of a shadow map: nearness grows towards the light, in metres."""
    x, y, z = direction.tolist()
    # A level axis across the light; for one from straight above, any.
    across = math.hypot(x, y)
    right = np.array([-y / across, x / across, 0.0]) if across > 1e-6 else np.array([1.0, 0.0, 0.0])
    scale = size / (2 * _SHADOW_REACH)
    rx, ry, rz = right.tolist()
    down = np.array([y * rz - z * ry, z * rx - x * rz, x * ry - y * rx])
    axes = np.stack([right * scale, down * scale, direction])
    middle = np.array([size / 2, size / 2, 0.0]) - axes @ _SHADOW_MIDDLE
    return np.concatenate([axes, middle[:, None]], axis=1)
