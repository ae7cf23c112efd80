"""Views from anywhere: cameras about objects, outside of all that stands there."""

import itertools
import math

import numpy as np
import pytest

from simworld.annotation.labels import project
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.envs.task import Task
from simworld.envs.tasks import shipped, shipped_task
from simworld.errors import DrawError
from simworld.geometry import quat_to_matrix
from simworld.randomization.presets import NONE
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene, sources_of
from simworld.randomization.scenic import VIEWS
from simworld.scene.arm_line import distance_to_arm
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.shapes import bounds
from simworld.streams import Streams

SPEC = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("clutter", 2, 2)))
STILL = {"camera.*.roll": 0.0, "camera.*.aside.x": 0.0, "camera.*.aside.y": 0.0}


def scene_of(index: int = 0, **values: object) -> Scene:
    return sample_scene(SPEC, VIEWS | Randomization(values), Streams(3, index)).scene


def seen_at(scene: Scene, camera: Camera, name: str) -> list[float]:
    """Where in the image, in widths and heights, the middle of a body is."""
    place = project([scene.body(name).position], camera, [*camera.position, *camera.orientation])[0]
    return (place / (camera.width, camera.height)).tolist()


@pytest.mark.parametrize(("subject", "name"), [(1, "object"), (2, "clutter_1"), (3, "clutter_2"), (4, "object")])
def test_a_camera_looks_at_its_subject_or_past_it(subject: int, name: str) -> None:
    for x, y in ((0.0, 0.0), (0.4, -0.3), (-0.45, 0.45)):
        scene = scene_of(**STILL | {"camera.*.subject": subject, "camera.*.aside.x": x, "camera.*.aside.y": y})
        for camera in scene.cameras[:3]:
            assert seen_at(scene, camera, name) == pytest.approx([0.5 + x, 0.5 + y], abs=1e-9)


def test_a_camera_is_as_far_and_as_high_as_is_drawn() -> None:
    drawn = {"camera.*.distance": 0.7, "camera.*.elevation": 0.6, "camera.*.azimuth": 2.0, "camera.*.subject": 1}
    scene = scene_of(**STILL | drawn)
    way = np.subtract(scene.camera("front").position, scene.body("object").position)
    assert way == pytest.approx(
        0.7 * np.array([math.cos(0.6) * math.cos(2.0), math.cos(0.6) * math.sin(2.0), math.sin(0.6)])
    )
    right = quat_to_matrix(scene.camera("front").orientation)[:, 0]
    assert right[2] == pytest.approx(0, abs=1e-12)  # upright


def test_cameras_are_outside_of_what_stands_there() -> None:
    for index in range(60):
        scene = scene_of(index)
        for camera in scene.cameras[:3]:
            assert distance_to_arm(scene.robot, camera.position) > 0.1
            for body in scene.bodies:
                if body.mass > 0:
                    assert math.dist(camera.position, body.position) > math.hypot(*bounds(body.parts))


def test_a_view_from_within_an_object_is_refused() -> None:
    large = {f"objects.*.{side}": 0.1 for side in ("width", "depth", "height")}
    near = {"camera.front.distance": 0.1, "camera.front.azimuth": 0.0, "camera.front.elevation": 0.2}
    with pytest.raises(DrawError, match=r"camera.front is in or at \['object'\]: ask for a greater camera.front.dist"):
        given = near | large | {"camera.front.subject": 1, "objects.0.position.x": 0.1}
        sample_scene(SceneSpec(entities=(Table(), Prop("object"))), VIEWS | given, Streams(3))


def test_without_objects_a_camera_looks_at_its_target() -> None:
    scene = sample_scene(SceneSpec(), VIEWS | Randomization({"camera.*.distance": 0.5}), Streams(0)).scene
    assert math.hypot(*scene.camera("front").position) == pytest.approx(0.5)


@pytest.mark.parametrize("task", shipped().values(), ids=lambda task: task.name)
def test_views_are_of_the_cameras_of_every_task(task: Task) -> None:
    sources = sources_of(task.scene, VIEWS)
    for what in ("subject", "position", "target", "azimuth", "elevation", "distance", "fov"):
        assert sources.of(f"camera.front.{what}") == VIEWS[f"camera.*.{what}"], what


def test_where_a_puck_slides_to_is_in_sight() -> None:
    spec = shipped_task("slide").scene
    assert spec.cameras == ("front", "side", "top", "wrist")
    for x, y in itertools.product((0.28, 0.35), (-0.06, 0.06)):
        placed = {"goal.position.x": x, "goal.position.y": y}
        scene = sample_scene(spec, NONE, Streams(0), placed).scene
        assert all(0.02 < part < 0.98 for part in seen_at(scene, scene.camera("front"), "goal"))


def test_objects_are_seen_all_over_the_image_in_many_sizes() -> None:
    cells, sizes = np.zeros((6, 8)), []
    for index in range(500):
        scene = scene_of(index)
        camera = scene.camera("front")
        for body in scene.bodies:
            if body.mass > 0:
                x, y = seen_at(scene, camera, body.name)
                if 0 <= x < 1 and 0 <= y < 1:
                    cells[int(6 * y), int(8 * x)] += 1
                    sizes.append(0.04 * camera.fx / math.dist(camera.position, body.position) / 2)  # at 320x240
    assert (cells > 0).all() and cells.max() < 0.06 * cells.sum()
    assert np.percentile(sizes, 2) < 8 and np.percentile(sizes, 99) > 90
