"""What can be observed: the spaces, and how images are made of what the renderer gives."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from simworld.geometry import Array, quat_to_matrix
from simworld.scene.camera import Camera
from simworld.scene.lens import check_lens, rays
from simworld.scene.model import Scene
from simworld.scene.state import SceneState, camera_pose

Float = NDArray[np.float32]

IMAGES: Mapping[str, str] = {"rgb": "rgb", "depth": "depth", "segmentation": "segmentation", "pointcloud": "depth"}
"""Images that can be observed, each with the renderer's channel it is made of."""

FAR: float = Camera.model_fields["far"].default
"""Metres of z-depth at which the scenes' cameras see no further; points farther from the origin are observed there."""

BRIGHTEST = 2.0
"""Metres of z-depth from which on a pixel of depth in 8 bits is 255."""

OBSERVATIONS: Mapping[str, tuple[str, ...]] = {
    "state": (),
    "rgbd": ("rgb", "depth"),
    **{image: (image,) for image in IMAGES},
}
"""What can be observed, each with the images it stands for."""


def images_of(observation: Sequence[str]) -> tuple[str, ...]:
    """The images that some of OBSERVATIONS stand for, in the order of IMAGES."""
    asked = [image for name in observation for image in OBSERVATIONS.get(name, ())]
    return tuple(image for known in IMAGES for image in asked if image == known)


def camera_prefixes(cameras: Sequence[str]) -> dict[str, str]:
    """What comes before the kind in the keys of each camera's images: its name, where there are several."""
    return {name: f"{name}_" if len(cameras) > 1 else "" for name in cameras}


def image_space(kind: str, width: int, height: int, depth_dtype: str = "float32") -> Box:
    """The space of one of IMAGES.

    `rgb` (h, w, 3) uint8; `depth` (h, w, 1) float32 z-depth in metres, 0 where there is nothing, or, where its type is
    to be uint8, what `in_8_bits` makes of it; `segmentation` (h, w, 1) uint8 instance ids, 0 for background;
    `pointcloud` (h w, 3) float32 points in the world, in metres and in the order of the pixels' rows, (0, 0, 0) where
    there is nothing.
    """
    if kind == "pointcloud":
        return Box(-FAR, FAR, (height * width, 3), np.float32)
    if kind == "depth" and depth_dtype == "float32":
        return Box(0.0, FAR, (height, width, 1), np.float32)
    return Box(0, 255, (height, width, 3 if kind == "rgb" else 1), np.uint8)


def in_8_bits(depth: Float) -> NDArray[np.uint8]:
    """Depth in metres as an image: 255 at BRIGHTEST and beyond, in proportion before, 0 only where there is nothing."""
    levels = np.minimum(np.rint(depth * np.float32(255 / BRIGHTEST)), 255)
    return np.where(depth > 0, np.maximum(levels, 1), 0).astype(np.uint8)


class Looking(NamedTuple):
    """A camera, the prefix of its images' keys, whether its sensor changes any, and what makes points of its depth."""

    prefix: str
    camera: Camera
    sensed: bool
    points: "BackProjection | None"


class View(NamedTuple):
    """What an environment sees at one instant: `images` of some `kinds` by key, still to be drawn, and what of.

    That takes the renderer's `channels` of each camera.
    """

    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    images: dict[str, NDArray[Any]]
    scene: Scene
    state: SceneState
    cameras: Sequence[Looking]


class ImageObserver:
    """Observes scenes as images of some kinds by some cameras, of (width, height) `size`, depth of a type.

    `spaces` by key: the kind, after the camera's name where there are several cameras.
    """

    def __init__(self, kinds: Sequence[str], cameras: Sequence[str], size: tuple[int, int], depth_dtype: str) -> None:
        self._kinds = tuple(kinds)
        self._channels = tuple(dict.fromkeys(IMAGES[kind] for kind in kinds))
        self._size = size
        self._prefixes = camera_prefixes(cameras)
        self._cameras: list[Looking] = []
        self.spaces: dict[str, Box] = {
            prefix + kind: image_space(kind, *size, depth_dtype)
            for prefix in self._prefixes.values()
            for kind in self._kinds
        }
        self._arrays = [(key, space.shape, space.dtype) for key, space in self.spaces.items()]

    def check(self, scene: Scene) -> None:
        """Raise ConfigurationError for a lens that folds its image."""
        for _, camera in self._resized(scene):
            check_lens(camera)

    def begin(self, scene: Scene) -> None:
        """Begin an episode in a scene: what stays the same in it is computed once."""
        clouds = "pointcloud" in self._kinds
        self._cameras = [
            Looking(prefix, camera, not camera.sensor.ideal, BackProjection(camera) if clouds else None)
            for prefix, camera in self._resized(scene)
        ]

    def view(self, scene: Scene, state: SceneState) -> View:
        """What is seen at one instant of the scene that `begin` was given or of one with its cameras."""
        images = {key: np.empty(shape, dtype) for key, shape, dtype in self._arrays}
        return View(self._kinds, self._channels, images, scene, state, self._cameras)

    def _resized(self, scene: Scene) -> list[tuple[str, Camera]]:
        return [(prefix, scene.camera(name).resized(*self._size)) for name, prefix in self._prefixes.items()]


class BackProjection:
    """Brings depth images of a camera to points in the world; the rays of a camera that stands still are kept.

    Elementwise throughout: unlike a matrix product it gives the same bits whatever the library and its threads.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._rays = np.stack(rays(camera)).reshape(2, -1).astype(np.float32)
        self._still: Float | None = None

    def __call__(self, depth: Float, scene: Scene, state: SceneState) -> Float:
        """Points (h w, 3) of a depth image (h, w): world frame, metres, (0, 0, 0) where there is nothing."""
        pose = camera_pose(scene, state, self._camera)
        turned = self._turned(pose[3:]) if self._still is None else self._still
        if self._camera.parent is None:
            self._still = turned
        flat = depth.reshape(-1)
        seen = (flat != 0).astype(np.float32)
        points = np.empty((flat.size, 3), dtype=np.float32)
        for axis, origin in enumerate(pose[:3].astype(np.float32)):
            along = turned[axis] * flat
            along += seen * origin
            np.minimum(np.maximum(along, -FAR, out=along), FAR, out=along)
            points[:, axis] = along
        return points

    def _turned(self, orientation: Array) -> Float:
        """The rays (3, h w) in the world's axes."""
        turned = np.empty((3, self._rays.shape[1]), dtype=np.float32)
        for row, (x, y, z) in zip(turned, quat_to_matrix(orientation).astype(np.float32), strict=True):
            np.multiply(self._rays[0], x, out=row)
            row += self._rays[1] * y
            row += z
        return turned
