"""TinyRenderer frames against closed forms, and frames that depend on nothing but their arguments."""

import numpy as np
import pytest

from simworld.geometry import look_at, quat_to_matrix
from simworld.physics import World
from simworld.randomization import DEFAULT, Layout, sample_scene
from simworld.rendering.tiny import TinyRenderer
from simworld.scene.model import Body, Box, Camera, Part, Robot, Scene, Sphere
from simworld.scene.robots import PANDA
from simworld.scene.state import SceneState, camera_pose
from simworld.streams import Streams


def pinhole(eye: tuple[float, float, float], target: tuple[float, float, float]) -> Camera:
    return Camera(
        name="front",
        width=160,
        height=120,
        fx=150,
        fy=140,
        cx=83.0,
        cy=57.5,
        position=eye,
        orientation=look_at(eye, target),
    )


def frame_of(body: Body, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    # The robot stands behind the camera.
    robot = Robot(position=(5.0, 0.0, 0.0), joint_positions=PANDA.rest)
    scene = Scene(robot=robot, bodies=(body,), cameras=(camera,))
    with World() as world:
        world.load(scene)
        renderer = TinyRenderer()
        frame = renderer.render(scene, world.state(), camera)
        renderer.close()
    return frame.depth, frame.segmentation


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return local @ quat_to_matrix(camera.orientation).T


def test_depth_of_a_plane_is_exact() -> None:
    ground = Body(
        name="ground", category="ground", parts=(Part(shape=Box(half_extents=(9, 9, 0.5))),), position=(0, 0, -0.5)
    )
    camera = pinhole((0.3, -0.4, 0.7), (0.0, 0.1, 0.0))
    depth, segmentation = frame_of(ground, camera)
    expected = -camera.position[2] / rays(camera)[..., 2]
    assert (segmentation == 2).all()
    assert np.abs(depth - expected).max() < 1e-4


def test_a_sphere_covers_the_pixels_its_closed_form_says() -> None:
    center, radius = np.array([0.02, 0.05, 0.1]), 0.08
    ball = Body(name="ball", category="sphere", parts=(Part(shape=Sphere(radius=radius)),), position=tuple(center))
    camera = pinhole((0.4, -0.3, 0.4), (0.0, 0.0, 0.1))
    depth, segmentation = frame_of(ball, camera)
    direction, offset = rays(camera), np.array(camera.position) - center
    a = (direction**2).sum(-1)
    b = direction @ offset
    discriminant = b * b - a * (offset @ offset - radius**2)
    inside = discriminant > 0
    seen = segmentation == 2
    assert (seen & inside).sum() / (seen | inside).sum() > 0.97
    both = seen & inside
    expected = (-b - np.sqrt(np.maximum(discriminant, 0))) / a
    assert np.median(np.abs(depth - expected)[both]) < 1e-3
    assert (depth[segmentation == 0] == 0).all()


def test_every_instance_is_seen_under_its_own_id() -> None:
    sample = sample_scene(Layout(box=True), DEFAULT | {"objects.count": 3}, Streams(0, 0))
    with World() as world:
        world.load(sample.scene)
        frame = TinyRenderer().render(sample.scene, world.state(), sample.scene.camera("front").resized(160, 120))
    assert set(np.unique(frame.segmentation)) - {0} == set(sample.scene.instances.values())
    assert frame.rgb.std() > 10
    assert (frame.segmentation == 1).mean() > 0.02


def test_the_wrist_camera_moves_with_the_hand() -> None:
    sample = sample_scene(Layout(box=True), DEFAULT, Streams(0, 0))
    camera = sample.scene.camera("wrist")
    with World() as world:
        world.load(sample.scene)
        before = camera_pose(sample.scene, world.state(), camera)
        world.place_arm(np.array(PANDA.rest[:7]) + np.array([0.3, 0, 0, 0, 0, 0, 0]))
        after = camera_pose(sample.scene, world.state(), camera)
        tool = world.tool_pose()
    assert np.linalg.norm(after[:3] - before[:3]) > 0.05
    # It looks along the fingers.
    np.testing.assert_allclose(quat_to_matrix(after[3:])[:, 2], quat_to_matrix(tool[3:])[:, 2], atol=1e-6)


def test_a_frame_does_not_depend_on_what_was_rendered_before() -> None:
    def scene_and_state(index: int) -> tuple[Scene, SceneState]:
        sample = sample_scene(Layout(box=True), DEFAULT, Streams(9, index))
        with World() as world:
            world.load(sample.scene)
            world.step(3)
            return sample.scene, world.state()

    used, fresh = TinyRenderer(), TinyRenderer()
    for index in range(12):
        scene, state = scene_and_state(index)
        frame = used.render(scene, state, scene.camera("front").resized(80, 60))
    again = fresh.render(scene, state, scene.camera("front").resized(80, 60))
    assert np.array_equal(frame.rgb, again.rgb)
    assert np.array_equal(frame.depth, again.depth)
    assert np.array_equal(frame.segmentation, again.segmentation)
    used.close()
    fresh.close()
    fresh.close()


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (3, 7)])
def test_any_image_size(size: tuple[int, int]) -> None:
    sample = sample_scene(Layout(), DEFAULT, Streams(0, 0))
    with World() as world:
        world.load(sample.scene)
        frame = TinyRenderer().render(sample.scene, world.state(), sample.scene.camera("top").resized(*size))
    assert frame.rgb.shape == (size[1], size[0], 3)
    assert frame.depth.shape == frame.segmentation.shape == (size[1], size[0])
