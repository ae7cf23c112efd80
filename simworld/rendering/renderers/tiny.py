"""PyBullet's TinyRenderer behind the renderer interface: software, slow, independent of everything else."""

import weakref
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array, compose, quat_to_matrix
from simworld.physics.bullet import bullet
from simworld.rendering.derived import DERIVED, derive
from simworld.rendering.display import no_window
from simworld.rendering.frame import (
    DEFAULT_CHANNELS,
    NO_SCENERY,
    UNDISTORTED,
    WANT_NEXT,
    Frame,
    check_channels,
    empty,
    refuse,
)
from simworld.rendering.meshes.loading import BOX
from simworld.rendering.poses import poses_of
from simworld.rendering.surfaces import Surface, surfaces
from simworld.scene.camera import NO_DISTORTION, Camera
from simworld.scene.light import DirectionalLight, SolidBackground
from simworld.scene.model import Scene
from simworld.scene.state import SceneState, camera_pose

_SURFACES = ("objects.*", "boxes.*", "table", "floor", "robot")
_SPECULAR = 0.05
_NARROWEST = 1e4
"""Focal length in image widths beyond which it may not come to an end."""
_DARK = DirectionalLight(intensity=0.0, shadow=False)
_LIGHT_DISTANCE = 2.0
# PyBullet frees the last 25 kB of a scene's shapes only with their client.
_SCENES_PER_CLIENT = 400


class TinyRenderer:
    """Renders with a Bullet client of its own that holds visual shapes only, posed from the SceneState.

    With `window` the client is PyBullet's window, for a person to watch; it needs a display.
    """

    channels: Collection[str] = frozenset({"rgb", "depth", "segmentation", "links"}) | DERIVED
    drawable: Mapping[str, tuple[Any, ...]] = {
        "lights.count": (1, 0),
        "lights.*.kind": ("directional",),
        "lights.*.softness": (0,),
        **{f"{surface}.texture": ("none",) for surface in _SURFACES},
        **{f"{surface}.metallic": (0,) for surface in _SURFACES},
        "background.kind": ("solid",),
        "sensor.rgb.exposure": (0,),
        "sensor.rgb.least": (0,),
        **UNDISTORTED,
        **NO_SCENERY,
    }
    drawable_with_aperture = drawable
    longest = 32.0

    def __init__(self, window: bool = False) -> None:
        if window and (reason := no_window()):
            raise RenderError(f"{reason}; render to images or a video")
        self._window = window
        self._connect()

    def __reduce__(self) -> tuple[type["TinyRenderer"], tuple[()]]:
        if self._window:
            raise RenderError("a renderer with a window cannot be copied or pickled: make one without")
        return TinyRenderer, ()

    @property
    def _client(self) -> int:
        # Bullet gives the number of a closed client to the next one that is made.
        if not self._disconnect.alive:
            raise RenderError("this renderer is closed: make a new one")
        return self._own_client

    def _connect(self) -> None:
        self._own_client: int = bullet.connect(bullet.GUI if self._window else bullet.DIRECT)
        if self._own_client < 0:
            raise RenderError("Bullet has no free client: close environments that are not used any more")
        self._disconnect = weakref.finalize(self, bullet.disconnect, physicsClientId=self._own_client)
        if self._window:
            for flag in (bullet.COV_ENABLE_GUI, bullet.COV_ENABLE_RGB_BUFFER_PREVIEW):
                bullet.configureDebugVisualizer(flag, 0, physicsClientId=self._client)
            bullet.resetDebugVisualizerCamera(1.2, 50, -30, (-0.15, 0.0, 0.1), physicsClientId=self._client)
        self._robot: object = None
        self._scene: Scene | None = None
        self._scenes = 0
        self._shown: list[tuple[int, Surface]] = []

    def show(self, scene: Scene, state: SceneState) -> None:
        """Put everything where the state says; with a window this is what the person sees."""
        self._load(scene)
        carriers = poses_of(scene, state)
        for uid, surface in self._shown:
            pose = compose(carriers[surface.carrier], surface.local).tolist()
            bullet.resetBasePositionAndOrientation(uid, pose[:3], pose[3:], physicsClientId=self._client)

    def render(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str] = DEFAULT_CHANNELS,
        next_state: SceneState | None = None,
    ) -> Frame:
        """Render one frame of the camera's size."""
        channels = check_channels("tiny", self.channels, channels, next_state)
        _check(scene, camera, channels)
        made = self._image(scene, state, camera)
        later = self._image(scene, next_state, camera) if next_state is not None and WANT_NEXT & set(channels) else None
        made |= empty(DERIVED & set(channels), scene, camera)
        derive(channels, scene, state, camera, made, next_state, later)
        return Frame(**{name: made[name] for name in channels})

    def _image(self, scene: Scene, state: SceneState, camera: Camera) -> dict[str, NDArray[Any]]:
        self.show(scene, state)
        light = next((light for light in scene.lights if isinstance(light, DirectionalLight)), _DARK)
        _, _, rgba, depth, segmentation = bullet.getCameraImage(
            camera.width,
            camera.height,
            viewMatrix=_view(camera_pose(scene, state, camera)),
            projectionMatrix=_projection(camera),
            lightDirection=light.direction,
            lightColor=light.color,
            lightDistance=_LIGHT_DISTANCE,
            shadow=int(light.shadow),
            lightAmbientCoeff=sum(scene.ambient) / 3,
            lightDiffuseCoeff=light.intensity,
            lightSpecularCoeff=_SPECULAR,
            renderer=bullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        size = (camera.height, camera.width)
        which = np.asarray(segmentation, dtype=np.int64).reshape(size)
        ids = self._ids[np.maximum(which, -1) + 1]
        buffer = np.asarray(depth, dtype=np.float64).reshape(size)
        near, far = camera.near, camera.far
        metric = (far * near / (far - (far - near) * buffer)).astype(np.float32)
        seen = ids[..., 0] > 0
        rgb = np.asarray(rgba, dtype=np.uint8).reshape(*size, 4)[..., :3]
        assert isinstance(scene.background, SolidBackground)
        behind = np.rint(255 * np.array(scene.background.color)).astype(np.uint8)
        return {
            "rgb": np.where(seen[..., None], rgb, behind),
            "depth": np.where(seen, metric, np.float32(0)),
            "segmentation": np.ascontiguousarray(ids[..., 0]),
            "links": np.ascontiguousarray(ids[..., 1]),
        }

    def close(self) -> None:
        """Give the client back; closing twice is harmless."""
        self._disconnect()

    def _load(self, scene: Scene) -> None:
        """Replace the bodies by the scene's; the robot stays, as its meshes take long to read."""
        if scene == self._scene:
            return
        self._scenes += 1
        if self._scenes > _SCENES_PER_CLIENT and not self._window:
            self._disconnect()
            self._connect()
        cid = self._client
        drawn = surfaces(scene)
        robot = (scene.robot.name, scene.robot.materials)
        if self._robot != robot:
            bullet.resetSimulation(physicsClientId=cid)
            self._shown = []
            self._robot = robot
        for uid, surface in reversed(self._shown):
            if surface.link == 0:
                bullet.removeBody(uid, physicsClientId=cid)
        kept = [shown for shown in self._shown if shown[1].link]
        self._shown = kept + [(self._body(surface), surface) for surface in drawn[len(kept) :]]
        self._ids = np.zeros((max(uid for uid, _ in self._shown) + 2, 2), dtype=np.int32)
        for uid, surface in self._shown:
            self._ids[uid + 1] = surface.instance, surface.link
        self._scene = scene

    def _body(self, surface: Surface) -> int:
        pictured = any(group.image for group in surface.groups(0.0))
        color = (1, 1, 1, 1) if pictured else (*surface.material.color, 1)  # by which Bullet multiplies an image
        if surface.mesh == BOX:
            shape = bullet.createVisualShape(
                bullet.GEOM_BOX, halfExtents=surface.size, rgbaColor=color, physicsClientId=self._client
            )
        else:
            # From a file: PyBullet never frees the vertices of a mesh that is given as arrays. Its own sphere is
            # coarse: 6% of the radius off.
            shape = bullet.createVisualShape(
                bullet.GEOM_MESH,
                fileName=surface.mesh,
                meshScale=surface.size,
                rgbaColor=color,
                physicsClientId=self._client,
            )
        uid: int = bullet.createMultiBody(baseVisualShapeIndex=shape, physicsClientId=self._client)
        if not pictured:
            bullet.changeVisualShape(uid, -1, textureUniqueId=-1, physicsClientId=self._client)
        return uid


def _check(scene: Scene, camera: Camera, channels: Collection[str]) -> None:
    """Raise ConfigurationError for what TinyRenderer cannot do."""
    materials = [surface.material for surface in surfaces(scene)]
    refused = {
        "lens distortion": camera.distortion != NO_DISTORTION,
        "scenery": bool(scene.scenery),
        "so narrow a field of view": max(camera.fx / camera.width, camera.fy / camera.height) > _NARROWEST,
    }
    if "rgb" in channels:
        refused |= {
            "more than one light, or one that is not directional": len(scene.lights) > 1
            or any(not isinstance(light, DirectionalLight) for light in scene.lights),
            "soft shadows": any(isinstance(light, DirectionalLight) and light.angle > 0 for light in scene.lights),
            "textures": any(material.texture is not None for material in materials),
            "metal": any(material.metallic > 0 for material in materials),
            "backgrounds other than of one colour": not isinstance(scene.background, SolidBackground),
            "exposure": camera.exposure != 0,
            "anti-aliasing": camera.antialias > 1,
        }
    refuse("tiny", refused)


def _view(pose: Array) -> list[float]:
    """OpenGL view matrix, column-major, of a camera whose OpenCV frame has the given pose."""
    rotation = quat_to_matrix(pose[3:]) * np.array([1.0, -1.0, -1.0])
    view = np.eye(4)
    view[:3, :3] = rotation.T
    view[:3, 3] = -rotation.T @ pose[:3]
    return list(view.T.ravel())


@cache
def _projection(camera: Camera) -> tuple[float, ...]:
    """OpenGL projection matrix, column-major, of the pinhole K with pixel centres at +0.5."""
    w, h, n, f = camera.width, camera.height, camera.near, camera.far
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[0, 2] = 2 * camera.fx / w, 1 - 2 * (camera.cx - 0.5) / w
    matrix[1, 1], matrix[1, 2] = 2 * camera.fy / h, 2 * (camera.cy + 0.5) / h - 1
    matrix[2, 2], matrix[2, 3] = -(f + n) / (f - n), -2 * f * n / (f - n)
    matrix[3, 2] = -1.0
    return tuple(matrix.T.ravel().tolist())


RENDERER = TinyRenderer
