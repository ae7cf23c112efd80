"""Scenes are plain data: a JSON round trip, and clear errors for malformed files."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.assets.catalogue import mesh, shipped
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering.surfaces import surface_bounds
from simworld.scene.camera import Camera
from simworld.scene.model import Body, Mesh, Part, Scene
from simworld.scene.shapes import bounds, half_extents, inner_size, open_box, rest_height
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

SCENE = sample_scene(IN_BOX, DEFAULT, Streams(1, 2)).scene


def test_a_scene_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    path.write_text(SCENE.to_json())
    assert Scene.load(path) == SCENE


def edited(change: Any) -> str:
    data = json.loads(SCENE.to_json())
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["bodies"][0].update(mass=-1), r"bodies\.0\.mass: .*greater than or equal to 0, got -1"),
        (lambda d: d["bodies"][0].update(mas=1), r"bodies\.0\.mas: "),
        (lambda d: d["bodies"][0].update(orientation=[0, 0, 0, 2]), "length 1"),
        (lambda d: d["bodies"][1].update(name="floor"), "names must be unique, got .'floor'"),
        (lambda d: d["cameras"][0].update(near=20), "near must be less than far"),
        (lambda d: d["cameras"][0].update(fx=0), r"cameras\.0\.fx: "),
        (lambda d: d["robot"].update(name="pandaa"), r"robot\.name: .*'panda'"),
        (lambda d: d["bodies"][0]["parts"][0]["shape"].update(kind="cone"), "cone"),
        (lambda d: d["lights"][0].update(direction=[0, 0, 0]), "a direction must not be"),
        (lambda d: d["robot"]["joint_positions"].pop(), "has 9 joints, got 8"),
        (lambda d: d["cameras"][0].update(parent="elbow"), "parent must be one of .*'hand'.*, got 'elbow'"),
        (lambda d: d["bodies"][0]["parts"][0].update(shape={"kind": "mesh", "name": "cup"}), "no mesh 'cup'.*'mug'"),
        (lambda d: d["bodies"][0].update(mass="0.5"), r"bodies\.0\.mass: .*number, got '0.5'"),
        (lambda d: d["cameras"][0].update(width=True), r"cameras\.0\.width: .*integer, got True"),
        (lambda d: d.pop("robot"), "robot: Field required"),
        (lambda d: d["bodies"][0].update(position=[0, float("nan"), 0]), "position"),
    ],
)
def test_a_malformed_scene_names_key_rule_and_value(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "scene.json"
    path.write_text(edited(change))
    with pytest.raises(ConfigurationError, match=message) as caught:
        Scene.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]"])
def test_what_is_not_a_scene_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scene.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="scene.json"):
        Scene.load(path)
    with pytest.raises(ConfigurationError, match="cannot read"):
        Scene.load(tmp_path / "none.json")


def test_unknown_names_are_answered_with_the_known() -> None:
    with pytest.raises(ConfigurationError, match="no body 'cup'.*'table'"):
        SCENE.body_index("cup")
    with pytest.raises(ConfigurationError, match="no camera 'back'.*'front'"):
        SCENE.camera("back")


def test_a_resized_camera_sees_the_same_rays() -> None:
    camera = SCENE.camera("front")
    small = camera.resized(320, 240)
    assert isinstance(small, Camera)
    ray = np.linalg.solve(camera.intrinsics, [100.0, 300.0, 1.0])
    np.testing.assert_allclose(np.linalg.solve(small.intrinsics, [50.0, 150.0, 1.0]), ray, atol=1e-12)


def test_an_open_box_has_the_inner_size_it_was_made_with() -> None:
    body = Body(name="box", category="open_box", parts=open_box((0.16, 0.14, 0.06), 0.008))
    np.testing.assert_allclose(inner_size(body), (0.16, 0.14, 0.06))


@pytest.mark.parametrize("name", shipped())
def test_catalogue_files_exist(name: str) -> None:
    assert Path(mesh(name).visual_path).is_file()
    assert Path(mesh(name).collision_path).is_file()


@pytest.mark.parametrize("name", shipped())
def test_a_stretched_mesh_has_the_sizes_of_its_vertices(name: str) -> None:
    stretch = (1.2, 0.8, 1.4)
    parts = (Part(shape=Mesh(name=name, scale=1.1, stretch=stretch)),)
    scene = Scene(robot=SCENE.robot, bodies=(Body(name="it", category=name, parts=parts, position=(0, 0, 1)),))
    # What is drawn, by the reader of the renderers; what is touched may stand out a little.
    drawn = surface_bounds(scene)[-1]
    found = np.array(bounds(parts))
    assert (found >= drawn - 1e-6).all() and (found <= drawn + 1e-3).all()
    as_it_is = Mesh(name=name, stretch=(1.0, 1.0, 1.0))
    assert half_extents(as_it_is) == mesh(name).half_extents
    nearly = half_extents(Mesh(name=name, stretch=(1.0, 1.0, 1.0 + 1e-9)))
    assert nearly == pytest.approx(mesh(name).half_extents, abs=3e-4)
    almost = rest_height((Part(shape=Mesh(name=name, stretch=(1.0, 1.0, 1.0 + 1e-9))),))
    assert almost == pytest.approx(mesh(name).rest_height, abs=5e-4)


def test_a_pipe_is_no_scene(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ConfigurationError, match=r"cannot read scene .*a.json: not a regular file$"):
        Scene.load(tmp_path / "a.json")


def refused(**changes: Any) -> str:
    """The one line with which a scene that is JSON is refused."""
    with pytest.raises(ConfigurationError) as error:
        Scene.from_json(json.dumps(json.loads(SCENE.to_json()) | changes))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_scene_has_no_more_and_no_larger_things_than_can_be_simulated() -> None:
    plain = json.loads(SCENE.to_json())
    body, light, camera = plain["bodies"][0], plain["lights"][0], plain["cameras"][0]
    assert "at most 256 items" in refused(bodies=[body | {"name": str(i)} for i in range(3000)])
    assert "at most 64 items" in refused(bodies=[body | {"parts": body["parts"] * 100}])
    assert "at most 1000 items" in refused(lights=[light] * 1100)
    assert "at most 256 items" in refused(cameras=[camera | {"name": str(i)} for i in range(300)])
    for shape in (
        {"kind": "box", "half_extents": [1, 1, 1e300]},
        {"kind": "sphere", "radius": 1e5},
        {"kind": "cylinder", "radius": 1, "height": 1e5},
        {"kind": "mesh", "name": "duck", "scale": 1e300},
    ):
        assert "less than or equal to 10000" in refused(bodies=[body | {"parts": [{"shape": shape}]}])
    assert "greater than or equal to -10000" in refused(bodies=[body | {"position": [0, 0, -1e9]}])
    assert "less than or equal to 10000" in refused(cameras=[camera | {"position": [0, 0, 1e9]}])
