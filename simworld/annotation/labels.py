"""From a Frame, its Scene and its state to Labels: where everything is, in the image and in space."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simworld.annotation.keypoints import Keypoint, Symmetries, keypoints, symmetries
from simworld.annotation.surface_points import mesh_of
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Array, Vec3, compose, invert, quat_to_matrix, transform_points
from simworld.rendering.frame import Frame
from simworld.scene.camera import Camera
from simworld.scene.lens import distort, fold
from simworld.scene.model import Body, Mesh, Scene
from simworld.scene.shapes import Cuboid, bounding_box
from simworld.scene.state import SceneState, camera_pose

_CAMERA = (0.0, 0.0, 0.0, *IDENTITY)
"""The pose of what is at the camera."""


@dataclass(frozen=True)
class InstanceLabel:
    """One thing that is visible in an image.

    `bbox` (x, y, width, height) in pixels holds the mask tightly, as in COCO; `area` is the mask's number of
    pixels; `mask` (h, w). `rotation` (3, 3) and `translation` (3,) in metres take the thing's own frame to the
    camera's OpenCV frame; the robot's frame is that of its base. `bbox_3d` is the least box along the axes of its
    own frame that holds it, hidden parts and all, and `color` is sRGB in 0..1; both are None of the robot, whose
    shape changes, and `color` of what shows colours of its own. `mesh` is what it is where it is one, at the origin
    of its frame. `keypoints` are the named places on it, seen or not, and `symmetries` the motions in its own frame
    that keep its shape.
    """

    name: str
    category: str
    instance_id: int
    bbox: tuple[int, int, int, int]
    area: int
    mask: NDArray[np.bool_]
    rotation: Array
    translation: Array
    bbox_3d: Cuboid | None
    color: Vec3 | None
    keypoints: tuple[Keypoint, ...] = ()
    symmetries: Symmetries = Symmetries()
    mesh: Mesh | None = None


@dataclass(frozen=True)
class Labels:
    """What an image shows, in order of instance id, and the camera that took it.

    `world_to_camera` (3, 4) is [R | t] to the OpenCV frame of the camera, in metres; it says where a camera on the
    robot was.
    """

    instances: tuple[InstanceLabel, ...]
    camera: Camera
    world_to_camera: Array

    def only(self, categories: Collection[str]) -> "Labels":
        """The same labels without the instances of other categories."""
        return replace(self, instances=tuple(label for label in self.instances if label.category in categories))


def annotate(frame: Frame, scene: Scene, state: SceneState, camera: Camera) -> Labels:
    """Label every body that is to be, and the robot, where at least one pixel shows it.

    The frame's depth, where it has one, tells which keypoints a thing hides itself. `camera` must be the one that took
    the frame; one of another size raises ConfigurationError.
    """
    height, width = frame.segmentation.shape
    if (width, height) != (camera.width, camera.height):
        raise ConfigurationError(
            f"the frame is {width}x{height} but camera {camera.name!r} is {camera.width}x{camera.height}: "
            "annotate with the camera that took the frame"
        )
    to_camera = invert(camera_pose(scene, state, camera))
    things: list[tuple[str, Body | None, Array]] = [("robot", None, state.link_poses[0])]
    things += [(body.name, body, pose) for body, pose in zip(scene.bodies, state.body_poses, strict=True)]
    pixels = np.bincount(frame.segmentation.ravel(), minlength=len(things) + 1).tolist()
    return Labels(
        instances=tuple(
            _label(name, i, pixels[i], frame, body, compose(to_camera, pose), camera)
            for i, (name, body, pose) in enumerate(things, start=1)
            if pixels[i] and (body is None or body.label is not None)
        ),
        camera=camera,
        world_to_camera=np.column_stack([quat_to_matrix(to_camera[3:]), to_camera[:3]]),
    )


def project(points: ArrayLike, camera: Camera, pose: ArrayLike) -> Array:
    """Pixels (n, 2) of points (n, 3) in the world, seen by a camera whose OpenCV frame has the given pose (7,).

    Pixel (i, j) covers [i, i + 1) x [j, j + 1). Its lens is taken into account. Points behind the camera are NaN, and
    so are those so far aside that the lens would fold them back.
    """
    seen = transform_points(invert(pose), points)
    ahead = np.where(seen[:, 2:] > 0, seen[:, :2] / np.where(seen[:, 2:] > 0, seen[:, 2:], 1.0), np.nan)
    ahead[(ahead**2).sum(axis=1) > fold(camera.distortion)] = np.nan
    x, y = distort(ahead[:, 0], ahead[:, 1], camera.distortion)
    return np.column_stack([x * camera.fx + camera.cx, y * camera.fy + camera.cy])


def _label(
    name: str, instance: int, area: int, frame: Frame, body: Body | None, pose: Array, camera: Camera
) -> InstanceLabel:
    """The label of a thing at a pose (7,) in the camera's frame, which so many pixels show."""
    mask = frame.segmentation == instance
    pixels = partial(project, camera=camera, pose=_CAMERA)
    return InstanceLabel(
        name=name,
        category=(body and body.label) or "robot",
        instance_id=instance,
        bbox=_bbox(mask),
        area=area,
        mask=mask,
        rotation=quat_to_matrix(pose[3:]),
        translation=pose[:3],
        bbox_3d=bounding_box(body.parts) if body else None,
        color=_color(body) if body else None,
        keypoints=keypoints(body, pixels, pose, mask, frame.channels.get("depth")) if body else (),
        symmetries=symmetries(body) if body else Symmetries(),
        mesh=mesh_of(body) if body else None,
    )


def _color(body: Body) -> Vec3 | None:
    """The colour of what a body is painted with; none where a part of it shows its own."""
    own = any(isinstance(part.shape, Mesh) and part.shape.own_colors for part in body.parts)
    return None if own else body.material.color


def _bbox(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
