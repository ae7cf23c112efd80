"""Labels of stretched and turned meshes agree with the pictures of them."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from simworld.annotation.labels import InstanceLabel, annotate
from simworld.assets.catalogue import mesh, shipped
from simworld.building.entities import Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.geometric import Rotation
from simworld.geometry import IDENTITY, look_at, quat_to_matrix
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.lens import rays
from simworld.scene.model import Scene
from simworld.scene.state import SceneState
from simworld.streams import Streams

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7)))

STRETCH = {"x": 0.5, "y": 2.0, "z": 1.3}
AWAY = 0.6
"""Metres from the object to the cameras around it."""


@cache
def laid(name: str, index: int) -> tuple[Scene, SceneState]:
    """A stretched mesh on the table, turned at random, and the world at the start."""
    stretched = {f"objects.*.stretch.{axis}": times for axis, times in STRETCH.items()}
    how = NONE | {"objects.*.kind": name, "objects.*.orientation": Rotation(), **stretched}
    scene = sample_scene(ALONE, how, Streams(5, index)).scene
    assert scene.bodies[-1].orientation != IDENTITY
    with World() as world:
        world.load(scene)
        return scene, world.state()


def seen(scene: Scene, state: SceneState, camera: Camera) -> tuple[InstanceLabel, np.ndarray]:
    """The object's label, and the points (n, 3) of it that the picture shows, in the frame that the label gives."""
    frame = RasterRenderer(error=0.0).render(scene, state, camera, ("depth", "segmentation"))
    label = next(label for label in annotate(frame, scene, state, camera).instances if label.name == "object")
    x, y = rays(camera)
    points = (np.stack([x, y, np.ones_like(x)], axis=-1) * frame.depth[..., None].astype(float))[label.mask]
    return label, (points - label.translation) @ label.rotation


def around(scene: Scene, state: SceneState) -> list[Camera]:
    """Cameras that look at the object along each of its axes from both sides."""
    center, turn = state.body_poses[-1, :3], quat_to_matrix(state.body_poses[-1, 3:])
    lens: dict[str, Any] = {"name": "close", "width": 400, "height": 400, "fx": 1000, "fy": 1000, "cx": 200, "cy": 200}
    return [
        Camera.model_validate(
            lens | {"position": tuple(eye), "orientation": look_at(tuple(eye), tuple(center), tuple(turn[:, axis - 1]))}
        )
        for axis in range(3)
        for eye in (center + AWAY * turn[:, axis], center - AWAY * turn[:, axis])
    ]


@pytest.mark.parametrize("name", shipped())
def test_the_points_seen_of_a_stretched_mesh_are_in_its_labelled_box(name: str) -> None:
    for index in range(3):
        scene, state = laid(name, index)
        label, own = seen(scene, state, scene.camera("front"))
        assert len(own) > 300 and label.bbox_3d is not None
        center, half = label.bbox_3d
        assert (np.abs(own - center) <= np.array(half) + 3e-4).all(), index


@pytest.mark.parametrize("name", shipped())
def test_a_stretched_mesh_seen_from_all_sides_reaches_the_faces_of_its_labelled_box(name: str) -> None:
    scene, state = laid(name, 0)
    # Nothing but the object, which no other thing hides.
    below = {"orientation": IDENTITY, "position": (0.0, 0.0, -50.0)}
    others = tuple(body.model_copy(update=below) for body in scene.bodies[:-1])
    away = np.tile([0.0, 0, -50, *IDENTITY], (len(state.link_poses), 1))
    poses = np.concatenate([[body.pose for body in others], state.body_poses[-1:]])
    alone = scene.model_copy(update={"bodies": (*others, scene.bodies[-1])})
    shown = SceneState(0.0, state.joint_positions, state.joint_velocities, away, poses, state.body_velocities)
    views = [seen(alone, shown, camera) for camera in around(alone, shown)]
    labelled = views[0][0].bbox_3d
    assert labelled is not None and all(label.bbox_3d == labelled for label, _ in views)
    center, half = np.array(labelled)
    # What sticks out farthest along an axis, nothing hides from the camera there; a pixel covers 0.6 mm.
    points = np.concatenate([own for _, own in views])
    assert np.abs([points.min(axis=0) - (center - half), points.max(axis=0) - (center + half)]).max() < 1.5e-3
    # The stretch is along the mesh's own axes, so the box is another than that of the mesh as it is.
    assert np.abs(np.array(half) / mesh(name).half_extents - 1).max() > 0.2
