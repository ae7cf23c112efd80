"""PyBullet's TinyRenderer behind the renderer interface: software, slow, independent of everything else."""

import os
import sys
import weakref
from functools import cache

import numpy as np

from simworld.errors import RenderError
from simworld.geometry import Array, Vec3, compose, quat_to_matrix
from simworld.physics.bullet import bullet
from simworld.rendering.frame import Frame
from simworld.rendering.meshes import CYLINDER, SPHERE
from simworld.scene.catalogue import data_path, mesh
from simworld.scene.model import Box, Camera, Cylinder, Mesh, Part, Scene, Sphere
from simworld.scene.robots import ROBOTS
from simworld.scene.shapes import mesh_frame
from simworld.scene.state import SceneState, camera_pose

_LIGHT_DISTANCE = 2.0
# PyBullet frees the last 25 kB of a scene's shapes only with their client.
_SCENES_PER_CLIENT = 400


def has_display() -> bool:
    """Whether PyBullet's window can open; without a display it would end the process."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


class TinyRenderer:
    """Renders with a Bullet client of its own that holds visual shapes only, posed from the SceneState.

    With `window` the client is PyBullet's window, for a person to watch; it needs a display.
    """

    def __init__(self, window: bool = False) -> None:
        if window and not has_display():
            raise RenderError("there is no display for a window: set DISPLAY, or render to images or a video")
        self._window = window
        self._connect()

    def _connect(self) -> None:
        self._client = bullet.connect(bullet.GUI if self._window else bullet.DIRECT)
        if self._client < 0:
            raise RenderError("Bullet has no free client: close environments that are not used any more")
        self._disconnect = weakref.finalize(self, bullet.disconnect, physicsClientId=self._client)
        if self._window:
            for flag in (bullet.COV_ENABLE_GUI, bullet.COV_ENABLE_RGB_BUFFER_PREVIEW):
                bullet.configureDebugVisualizer(flag, 0, physicsClientId=self._client)
            bullet.resetDebugVisualizerCamera(1.2, 50, -30, (-0.15, 0.0, 0.1), physicsClientId=self._client)
        self._robot: str | None = None
        self._scene: Scene | None = None
        self._scenes = 0
        self._links: list[tuple[int, int, Array]] = []
        self._bodies: list[list[tuple[int, Array]]] = []
        self._instances: dict[int, int] = {}

    def show(self, scene: Scene, state: SceneState) -> None:
        """Put everything where the state says; with a window this is what the person sees."""
        self._load(scene)
        for uid, link, local in self._links:
            self._place(uid, compose(state.link_poses[link], local))
        for pose, parts in zip(state.body_poses, self._bodies, strict=True):
            for uid, local in parts:
                self._place(uid, compose(pose, local))

    def render(self, scene: Scene, state: SceneState, camera: Camera) -> Frame:
        """Render one frame of the camera's size."""
        self.show(scene, state)
        projection = _projection(camera)
        light = scene.light
        _, _, rgba, depth, segmentation = bullet.getCameraImage(
            camera.width,
            camera.height,
            viewMatrix=_view(camera_pose(scene, state, camera)),
            projectionMatrix=projection,
            lightDirection=light.direction,
            lightColor=light.color,
            lightDistance=_LIGHT_DISTANCE,
            shadow=int(light.shadow),
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=light.specular,
            renderer=bullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        size = (camera.height, camera.width)
        uids = np.asarray(segmentation, dtype=np.int32).reshape(size)
        instances = self._instance_table()[np.maximum(uids, -1) + 1]
        buffer = np.asarray(depth, dtype=np.float64).reshape(size)
        near, far = camera.near, camera.far
        metric = (far * near / (far - (far - near) * buffer)).astype(np.float32)
        return Frame(
            rgb=np.ascontiguousarray(np.asarray(rgba, dtype=np.uint8).reshape(*size, 4)[..., :3]),
            depth=np.where(instances > 0, metric, np.float32(0)),
            segmentation=instances,
        )

    def close(self) -> None:
        """Give the client back; closing twice is harmless."""
        self._disconnect()

    def _instance_table(self) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        table = np.zeros(max(self._instances) + 2, dtype=np.int32)
        for uid, instance in self._instances.items():
            table[uid + 1] = instance
        return table

    def _place(self, uid: int, pose: Array) -> None:
        bullet.resetBasePositionAndOrientation(uid, pose[:3].tolist(), pose[3:].tolist(), physicsClientId=self._client)

    def _load(self, scene: Scene) -> None:
        """Replace the bodies by the scene's; the robot stays, as its meshes take long to read."""
        if scene == self._scene:
            return
        self._scenes += 1
        if self._scenes > _SCENES_PER_CLIENT and not self._window:
            self._disconnect()
            self._connect()
        cid = self._client
        if self._robot != scene.robot.name:
            bullet.resetSimulation(physicsClientId=cid)
            model = ROBOTS[scene.robot.name]
            self._links = []
            for visual in model.visuals:
                shape = self._mesh(str(data_path() / visual.mesh), (1.0, 1.0, 1.0), visual.color)
                local = np.array([*visual.position, *visual.orientation])
                self._links.append((self._body(shape), model.link_index(visual.link), local))
            self._robot = scene.robot.name
        else:
            for parts in reversed(self._bodies):
                for uid, _ in reversed(parts):
                    bullet.removeBody(uid, physicsClientId=cid)
        self._bodies = []
        self._instances = {uid: 1 for uid, _, _ in self._links}
        for instance, body in enumerate(scene.bodies, start=2):
            parts = [self._part(part, body.color) for part in body.parts]
            self._instances |= {uid: instance for uid, _ in parts}
            self._bodies.append(parts)
        self._scene = scene

    def _part(self, part: Part, color: Vec3) -> tuple[int, Array]:
        local = np.array([*part.position, *part.orientation])
        match part.shape:
            case Box(half_extents=half):
                shape = bullet.createVisualShape(
                    bullet.GEOM_BOX, halfExtents=half, rgbaColor=(*color, 1), physicsClientId=self._client
                )
            case Cylinder(radius=radius, height=height):
                shape = self._mesh(CYLINDER, (radius, radius, height / 2), color)
            case Sphere(radius=radius):
                # Bullet's own sphere is coarse: 6% of the radius off.
                shape = self._mesh(SPHERE, (radius, radius, radius), color)
            case Mesh(name=name) as found:
                local, scale = mesh_frame(part, found)
                shape = self._mesh(str(data_path() / mesh(name).visual), (scale, scale, scale), color)
        return self._body(shape), local

    def _mesh(self, file: str, size: Vec3, color: Vec3) -> int:
        # From a file: PyBullet never frees the vertices of a mesh that is given as arrays.
        shape: int = bullet.createVisualShape(
            bullet.GEOM_MESH, fileName=file, meshScale=size, rgbaColor=(*color, 1), physicsClientId=self._client
        )
        return shape

    def _body(self, shape: int) -> int:
        uid: int = bullet.createMultiBody(baseVisualShapeIndex=shape, physicsClientId=self._client)
        return uid


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
