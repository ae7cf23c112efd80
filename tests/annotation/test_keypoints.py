"""Keypoints and symmetries of things, against closed forms and what is rendered."""

import json
from functools import cache

import numpy as np
import pytest

from simworld.annotation.keypoints import places_on
from simworld.annotation.labels import InstanceLabel, Labels, annotate, project
from simworld.assets.catalogue import keypoint_names, mesh
from simworld.assets.families import FAMILIES
from simworld.datasets.formats.coco import coco_chunks
from simworld.datasets.labelled import LabelledImage, Moment
from simworld.datasets.store.label import Label, label_line
from simworld.geometry import look_at, quat_from_euler, quat_from_yaw
from simworld.physics.world import World
from simworld.rendering.renderers.tiny import TinyRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Body, Mesh, Part, Robot, Scene
from simworld.scene.state import SceneState, camera_pose

ABOVE, BELOW, BEHIND = (0.0, -0.3, 0.4), (0.0, -0.3, -0.4), (-0.5, 0.0, 0.05)


def scene_of(eye: tuple[float, float, float], *bodies: Body) -> Scene:
    camera = Camera(
        name="eye",
        width=160,
        height=120,
        fx=250.0,
        fy=250.0,
        cx=80.0,
        cy=60.0,
        position=eye,
        orientation=look_at(eye, (0.0, 0.0, 0.0)),
    )
    return Scene(robot=Robot(position=(-50.0, 0.0, 0.0)), bodies=bodies, cameras=(camera,))


def thing(name: str, scale: float = 1.0, yaw: float = 0.0) -> Body:
    return Body(
        name="thing",
        category=mesh(name).category,
        parts=(Part(shape=Mesh(name=name, scale=scale)),),
        orientation=quat_from_yaw(yaw),
    )


@cache
def taken(eye: tuple[float, float, float], name: str, yaw: float = 0.0) -> tuple[Labels, Scene, SceneState, Camera]:
    scene = scene_of(eye, thing(name, yaw=yaw))
    with World() as world:
        world.load(scene)
        state = world.state()
    renderer = TinyRenderer()
    camera = scene.camera("eye")
    frame = renderer.render(scene, state, camera)
    renderer.close()
    return annotate(frame, scene, state, camera), scene, state, camera


def label_of(eye: tuple[float, float, float], name: str, yaw: float = 0.0) -> InstanceLabel:
    (label,) = taken(eye, name, yaw)[0].instances
    return label


@pytest.mark.parametrize(("eye", "seen"), [(ABOVE, {"top", "label"}), (BELOW, {"bottom", "label"})])
def test_what_is_turned_away_is_hidden(eye: tuple[float, float, float], seen: set[str]) -> None:
    label = label_of(eye, "can#1", -np.pi / 2)
    assert {point.name for point in label.keypoints if point.visible} == seen
    assert {point.name for point in label.keypoints} == {"top", "bottom", "label"}


def test_a_handle_behind_its_mug_is_hidden() -> None:
    shown = {point.name: point.visible for point in label_of(BEHIND, "coffee_mug#1").keypoints}
    turned = {point.name: point.visible for point in label_of(BEHIND, "coffee_mug#1", np.pi).keypoints}
    assert not shown["handle"] and turned["handle"]


def test_a_keypoint_is_where_its_place_is_projected() -> None:
    labels, scene, state, camera = taken(ABOVE, "coffee_mug#1")
    places = places_on(scene.bodies[0])
    pixels = project(list(places.values()), camera, camera_pose(scene, state, camera))
    (label,) = labels.instances
    assert [point.name for point in label.keypoints] == list(places)
    np.testing.assert_allclose([point.pixel for point in label.keypoints], pixels, atol=1e-9)


def test_places_are_those_of_the_asset_in_the_body_scaled_and_stretched() -> None:
    asset = mesh("hammer#2")
    turn = quat_from_euler(0.0, 0.0, np.pi / 2)
    shape = Mesh(name="hammer#2", scale=0.5, stretch=(2.0, 1.0, 3.0))
    body = Body(name="h", category="hammer", parts=(Part(shape=shape, position=(0.1, 0.2, 0.3), orientation=turn),))
    for name, (x, y, z) in asset.keypoints.items():
        assert places_on(body)[name] == pytest.approx((0.1 - 0.5 * y, 0.2 + x, 0.3 + 1.5 * z))


def test_symmetries_are_in_the_labels() -> None:
    assert len(label_of(ABOVE, "dice#1").symmetries.discrete) == 23
    (about,) = label_of(ABOVE, "can#1").symmetries.continuous
    assert about.axis == (0.0, 0.0, 1.0)
    assert not any(label_of(ABOVE, "hammer#1").symmetries)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_of_keypoints_are_those_of_the_family(family: str) -> None:
    names = tuple(mesh(f"{family}#9").keypoints)
    assert names == FAMILIES[family].keypoints
    assert set(names) <= set(keypoint_names(FAMILIES[family].category or family))


def test_coco_has_keypoints_in_the_order_of_its_category() -> None:
    labels, scene, state, camera = taken(ABOVE, "coffee_mug#1")
    renderer = TinyRenderer()
    frame = renderer.render(scene, state, camera)
    renderer.close()
    image = LabelledImage(Moment(scene, state, {}, 0, 0), camera, frame, frame.depth)
    line = Label.model_validate_json(label_line(0, image, {"mug": 1, "table": 2}, {}))
    written = json.loads(b"".join(coco_chunks({"categories": ["mug", "table"]}, lambda: [line])))
    mug, table = written["categories"]
    assert mug["keypoints"] == list(keypoint_names("mug")) and "keypoints" not in table
    (annotation,) = written["annotations"]
    (label,) = labels.instances
    assert annotation["num_keypoints"] == len(label.keypoints)
    found = np.reshape(annotation["keypoints"], (-1, 3))
    for row, point in zip(found, label.keypoints, strict=True):
        assert point.pixel is not None
        assert tuple(row) == pytest.approx((*point.pixel, 2 if point.visible else 1))
