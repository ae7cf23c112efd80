"""Labels against what closed forms say of the same scene."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from simworld.annotation.labels import Labels, annotate, project
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.errors import ConfigurationError
from simworld.geometry import Array, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT, NONE
from simworld.randomization.sampling import sample_scene
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.renderers.tiny import TinyRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene, Sphere
from simworld.scene.shapes import open_box
from simworld.scene.state import SceneState, camera_pose
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

EYE = (0.5, -0.4, 0.6)
RADIUS, HALF = 0.06, (0.05, 0.03, 0.04)


def made_scene() -> Scene:
    """A sphere, a turned box and an open box over a table, none before another, and one behind the camera."""
    table = Body(
        name="table", category="table", parts=(Part(shape=Box(half_extents=(0.6, 0.6, 0.2))),), position=(0, 0, -0.2)
    )
    ball = Body(name="ball", category="sphere", parts=(Part(shape=Sphere(radius=RADIUS)),), position=(-0.15, 0.2, 0.3))
    turned = quat_from_euler(0.3, -0.5, 0.7)
    brick = Body(
        name="brick",
        category="box",
        parts=(Part(shape=Box(half_extents=HALF)),),
        position=(0.1, 0.1, 0.2),
        orientation=turned,
    )
    crate = Body(name="crate", category="crate", parts=open_box((0.1, 0.1, 0.05), 0.01), position=(0.3, 0.25, 0.02))
    hidden = Body(name="hidden", category="sphere", parts=(Part(shape=Sphere(radius=0.05)),), position=(1.0, -0.8, 1.2))
    camera = Camera(
        name="made",
        width=200,
        height=150,
        fx=190.0,
        fy=180.0,
        cx=95.0,
        cy=78.0,
        position=EYE,
        orientation=look_at(EYE, (0.05, 0.1, 0.15)),
    )
    robot = Robot(position=(-0.5, -0.3, 0.0))
    return Scene(robot=robot, bodies=(table, ball, brick, crate, hidden), cameras=(camera,))


@cache
def taken(camera: str = "made", sampled: bool = False) -> tuple[Frame, Scene, SceneState, Camera]:
    """A frame and all that made it."""
    spec = replace(IN_BOX, factors={"objects.*.position.y": Uniform(-0.25, 0.0)})
    scene = sample_scene(spec, DEFAULT, Streams(7, 0)).scene if sampled else made_scene()
    world, renderer = World(), TinyRenderer()
    world.load(scene)
    state, found = world.state(), scene.camera(camera)
    found = found.resized(160, 120) if sampled else found
    frame = renderer.render(scene, state, found)
    world.close()
    renderer.close()
    return frame, scene, state, found


def labelled(camera: str = "made", sampled: bool = False) -> Labels:
    return annotate(*taken(camera, sampled))


def corners(half: tuple[float, float, float]) -> Array:
    signs = np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T
    return signs * half


def edges(bbox: tuple[int, int, int, int]) -> Array:
    x, y, width, height = bbox
    return np.array([x, y, x + width, y + height])


def test_what_is_visible_is_labelled_and_nothing_else() -> None:
    frame, scene, _, _ = taken()
    labels = labelled()
    assert [label.name for label in labels.instances] == ["robot", "table", "ball", "brick", "crate"]
    for label in labels.instances:
        assert label.instance_id == scene.instances[label.name]
        assert label.area == label.mask.sum() > 0
        np.testing.assert_array_equal(label.mask, frame.segmentation == label.instance_id)
    assert [label.name for label in labels.only({"sphere", "crate"}).instances] == ["ball", "crate"]


def test_sizes_and_colors_are_those_of_the_scene() -> None:
    known = {label.name: label for label in labelled().instances}
    assert known["ball"].bbox_3d == ((0, 0, 0), (RADIUS,) * 3)
    assert known["brick"].bbox_3d == ((0, 0, 0), HALF)
    # Its floor goes 0.01 below the origin, its walls 0.05 above.
    crate = known["crate"].bbox_3d
    assert crate is not None
    np.testing.assert_allclose(crate, ((0, 0, 0.02), (0.06, 0.06, 0.03)), atol=1e-15)
    assert known["robot"].bbox_3d is known["robot"].color is None
    assert known["brick"].color == (0.7, 0.7, 0.7)
    assert (known["robot"].category, known["crate"].category) == ("robot", "crate")


@pytest.mark.parametrize("own", [True, False])
def test_what_shows_colors_of_its_own_has_no_other_in_its_label(own: bool) -> None:
    frame, scene, state, camera = taken()
    can = (Part(shape=Mesh(name="can#1", own_colors=own)),)
    bodies = tuple(body.model_copy(update={"parts": can}) if body.name == "brick" else body for body in scene.bodies)
    labels = annotate(frame, scene.model_copy(update={"bodies": bodies}), state, camera).instances
    label = next(label for label in labels if label.name == "brick")
    assert label.color == (None if own else (0.7, 0.7, 0.7))


def test_the_box_of_a_ball_is_the_tangents_of_a_sphere() -> None:
    _, scene, state, camera = taken()
    ball = next(label for label in labelled().instances if label.name == "ball")
    x, y, z = ball.translation
    spread_x, spread_y = (np.arcsin(RADIUS / np.hypot(side, z)) for side in (x, y))
    u = [camera.fx * np.tan(np.arctan2(x, z) + s * spread_x) + camera.cx for s in (-1, 1)]
    v = [camera.fy * np.tan(np.arctan2(y, z) + s * spread_y) + camera.cy for s in (-1, 1)]
    np.testing.assert_allclose(edges(ball.bbox), [u[0], v[0], u[1], v[1]], atol=1.2)


def test_the_box_of_a_cuboid_holds_its_corners() -> None:
    _, scene, state, camera = taken()
    brick = next(label for label in labelled().instances if label.name == "brick")
    pose = state.body_poses[scene.body_index("brick")]
    pixels = project(transform_points(pose, corners(HALF)), camera, camera_pose(scene, state, camera))
    expected = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])
    np.testing.assert_allclose(edges(brick.bbox), expected, atol=1.0)


@pytest.mark.parametrize(("camera", "sampled"), [("made", False), ("front", True), ("wrist", True)])
def test_poses_in_the_camera_project_where_the_world_does(camera: str, sampled: bool) -> None:
    _, scene, state, found = taken(camera, sampled)
    labels = labelled(camera, sampled)
    assert len(labels.instances) >= 3
    poses = {"robot": state.link_poses[0]} | dict(zip([b.name for b in scene.bodies], state.body_poses, strict=True))
    points = corners((0.02, 0.03, 0.04))
    for label in labels.instances:
        seen = points @ label.rotation.T + label.translation
        world = transform_points(poses[label.name], points)
        extrinsic = world @ labels.world_to_camera[:, :3].T + labels.world_to_camera[:, 3]
        np.testing.assert_allclose(seen, extrinsic, atol=1e-7)  # Bullet's quaternions are unit to 1e-8
        pixels = seen @ labels.camera.intrinsics.T
        ahead = seen[:, 2] > 0
        expected = project(world, found, camera_pose(scene, state, found))
        np.testing.assert_allclose((pixels[:, :2] / pixels[:, 2:])[ahead], expected[ahead], atol=1e-3)


def test_the_middle_of_a_ball_is_the_middle_of_its_mask() -> None:
    _, _, _, camera = taken()
    ball = next(label for label in labelled().instances if label.name == "ball")
    rows, columns = np.nonzero(ball.mask)
    pixel = camera.intrinsics @ ball.translation
    np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], pixel[:2] / pixel[2], atol=1.0)


def test_depth_is_the_distance_along_the_axis_to_the_table() -> None:
    frame, scene, state, camera = taken()
    table = frame.segmentation == scene.instances["table"]
    rows, columns = np.nonzero(table)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    # Each ray has z-depth 1, and goes on until it is as low as the table's upper face.
    rays = quat_to_matrix(camera.orientation) @ np.linalg.inv(camera.intrinsics) @ pixels
    top = rays[2] < -0.3
    # To half a pixel of a slanting plane.
    np.testing.assert_allclose(frame.depth[table][top], -EYE[2] / rays[2][top], atol=0.01)


def test_points_behind_the_camera_have_no_pixel() -> None:
    _, scene, state, camera = taken()
    pose = camera_pose(scene, state, camera)
    ahead, behind = transform_points(pose, [[0, 0, 1.0], [0, 0, -1.0]])
    np.testing.assert_allclose(project([ahead], camera, pose), [[camera.cx, camera.cy]], atol=1e-9)
    assert np.isnan(project([behind], camera, pose)).all()


def test_another_camera_than_the_frames_is_refused() -> None:
    frame, scene, state, camera = taken()
    with pytest.raises(ConfigurationError, match="the frame is 200x150 but camera 'made' is 64x48"):
        annotate(frame, scene, state, camera.resized(64, 48))


def test_a_lens_moves_what_is_off_the_axis() -> None:
    camera = Camera(
        name="c", width=64, height=48, fx=60, fy=50, cx=30, cy=25, position=(0, 0, 0), orientation=(0, 0, 0, 1)
    )
    bent = camera.model_copy(update={"distortion": (0.1, 0.0, 0.01, 0.0, 0.0)})
    point, origin = [[1.0, 0.0, 2.0]], (0, 0, 0, 0, 0, 0, 1)
    np.testing.assert_allclose(project(point, camera, origin), [[60.0, 25.0]])
    # At (0.5, 0, 1) r2 is 0.25: 1 + k1 r2 outwards, and p1 r2 downwards.
    np.testing.assert_allclose(project(point, bent, origin), [[30 + 60 * 0.5125, 25 + 50 * 0.0025]])


def test_what_a_lens_would_fold_back_has_no_pixel() -> None:
    camera = Camera(
        name="c", width=64, height=48, fx=60, fy=50, cx=30, cy=25, position=(0, 0, 0), orientation=(0, 0, 0, 1)
    )
    bent = camera.model_copy(update={"distortion": (-0.1, 0.0, 0.0, 0.0, 0.0)})
    # r (1 - 0.1 r^2) grows until r^2 = 10 / 3.
    points, origin = [[1.8, 0, 1], [1.9, 0, 1], [0, 3.1, 1]], (0, 0, 0, 0, 0, 0, 1)
    assert np.isnan(project(points, bent, origin)).all(axis=1).tolist() == [False, True, True]
    assert np.isfinite(project(points, camera, origin)).all()


@pytest.mark.parametrize(("labelled", "category"), [("yes", "cuboid"), ("distractor", "distractor"), ("no", None)])
def test_clutter_is_labelled_as_it_is_asked_to_be(labelled: str, category: str | None) -> None:
    clutter = {"name": "clutter", "low": 2, "high": 2, "kinds": ["cuboid"], "labelled": labelled}
    spec = SceneSpec.from_plain(
        {"entities": ["table", {"prop": {"name": "object", "kinds": "cuboid"}}, {"props": clutter}]}
    )
    assert SceneSpec.from_plain(spec.to_plain()) == spec
    scene = sample_scene(spec, NONE, Streams(3)).scene
    with World() as world:
        world.load(scene)
        state = world.state()
    camera = scene.camera("top").resized(96, 72)
    frame = RasterRenderer().render(scene, state, camera)
    found = {label.name: label.category for label in annotate(frame, scene, state, camera).instances}
    assert found["object"] == "cuboid"
    assert [found.get(f"clutter_{k}") for k in (1, 2)] == [category] * 2
    assert {scene.instances[f"clutter_{k}"] for k in (1, 2)} <= set(np.unique(frame.segmentation))
