"""Scenes are built from specs: any number of entities, plain data there and back, and one line for what is wrong."""

import json
import pickle
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simworld.building.camera_place import CameraPlace
from simworld.building.entities import Bin, CameraRig, GoalPlace, Lamps, Prop, Props, Table, Words
from simworld.building.entities.entity import Entity
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.errors import ConfigurationError, DrawError
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT, NONE, PRESETS
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

TABLE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7)))
CROWDED = SceneSpec(
    entities=(
        Table(),
        Bin("left", place=(-0.2, 0.25)),
        Bin("right", place=(-0.2, -0.25)),
        Prop("mug", "mug"),
        Prop("ball", "sphere"),
        Props("near", 1, 3),
        Props("far", 0, 2, kinds=("cuboid", "cylinder")),
        GoalPlace("mug"),
        Lamps(most=6),
        CameraRig(
            tuple(CameraPlace(name=f"round_{i}", position=(0.5, 0.2 * i, 0.5), target=(0, 0, 0)) for i in range(5))
            + (CameraPlace(name="finger", mount="left_finger", position=(0.0, 0.05, 0.0)),)
        ),
    ),
    factors={"objects.*.position.x": Uniform(-0.3, 0.15), "boxes.1.wall": 0.01},
)


def _of(*entities: Entity) -> SceneSpec:
    return SceneSpec(entities=(Table(), *entities))


@pytest.mark.parametrize("spec", [TABLE, CROWDED, SceneSpec()])
def test_a_spec_is_plain_data(spec: SceneSpec) -> None:
    again = SceneSpec.from_plain(json.loads(json.dumps(spec.to_plain())))
    assert again == spec and hash(again) == hash(spec) and pickle.loads(pickle.dumps(spec)) == spec
    assert replace(spec, factors={}) == SceneSpec(spec.robot, spec.entities)
    assert {name: factor.items for name, factor in again.space.items()} == {n: f.items for n, f in spec.space.items()}


def test_what_is_written_by_hand_may_be_short() -> None:
    plain = {
        "entities": ["table", {"bin": {"name": "tray"}}, {"prop": {"name": "mug", "kinds": "mug"}}],
        "factors": {"objects.*.position.y": "uniform(-0.25, 0)", "objects.0.mass": 0.2},
    }
    spec = SceneSpec.from_plain(plain)
    assert spec.entities == (Table(), Bin("tray"), Prop("mug", "mug"))
    assert spec.factors["objects.*.position.y"] == Uniform(-0.25, 0)


def test_any_number_of_entities() -> None:
    names = ["left", "right", "mug", "ball"]
    for index in range(5):
        scene = sample_scene(CROWDED, NONE, Streams(2, index), {"objects.count": 6}).scene
        found = [body.name for body in scene.bodies]
        assert found == ["floor", "table", *names, "near_2", "near_3", "near_4", "far_5", "goal"]
        assert [body.name for body in scene.bodies if body.container] == ["left", "right"]
        assert [body.name for body in scene.bodies if body.marker] == ["goal"]
        assert {body.name: body.category for body in scene.bodies}["mug"] == "mug"
        assert len(scene.cameras) == 6 and scene.camera("finger").parent == "left_finger"
        with World() as world:
            world.load(scene)
            world.step()
            state = world.state()
        assert state.body_poses.shape == (11, 7) and (state.body_poses[-1] == scene.bodies[-1].pose).all()
        assert {contact.instance_a for contact in state.contacts} | {c.instance_b for c in state.contacts} <= set(
            range(1, 12)
        ) - {scene.instances["goal"]}


def test_groups_are_filled_in_their_order() -> None:
    counts = {}
    for count in range(3, 8):
        bodies = sample_scene(CROWDED, NONE, Streams(0), {"objects.count": count}).scene.bodies
        counts[count] = [sum(body.name.startswith(name) for body in bodies) for name in ("near_", "far_")]
    assert counts == {3: [1, 0], 4: [2, 0], 5: [3, 0], 6: [3, 1], 7: [3, 2]}


def test_numbers_go_through_all_entities_of_a_stem() -> None:
    space = CROWDED.space
    assert space["objects.*.mass"].items == tuple("0123456") and space["boxes.*.width"].items == ("0", "1")
    assert space["objects.count"].allowed == [3, 7]
    drawn = sample_scene(CROWDED, NONE, Streams(0)).parameters
    assert [drawn[f"boxes.{i}.position.y"] for i in range(2)] == [0.25, -0.25]
    assert [drawn[f"boxes.{i}.wall"] for i in range(2)] == [0.008, 0.01]
    assert "camera.finger.offset" in drawn and "camera.round_4.azimuth" in drawn and "camera.front.fov" not in space


def test_adding_an_entity_changes_no_other_draw() -> None:
    more = replace(TABLE, entities=(*TABLE.entities, Bin("box"), GoalPlace("object")))
    one, two = (sample_scene(spec, DEFAULT, Streams(4, 1)).parameters for spec in (TABLE, more))
    moved = {name for name in one if one[name] != two[name]}
    assert all(".position." in name for name in moved) and set(one) < set(two)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SceneSpec("pandda"), "no robot 'pandda'; did you mean 'panda'?"),
        (lambda: SceneSpec(entities=(Table(), "bin")), "scene: an entity is Table(), Bin(...), ..., got 'bin'"),
        (lambda: _of(Bin("a"), Bin("a")), "scene: there is more than one bin a"),
        (lambda: _of(Bin("a"), Prop("a")), "scene: both bin and prop have a body 'a'"),
        (lambda: _of(Prop("robot")), "scene: both prop and arm have a body 'robot'"),
        (lambda: _of(Prop("table")), "scene: both table and prop have a body 'table'"),
        (lambda: _of(Prop("floor")), "scene: both prop and floor have a body 'floor'"),
        (lambda: _of(Prop("goal"), GoalPlace()), "scene: both prop and goal have a body 'goal'"),
        (lambda: _of(Props("clutter", 2, 2), Prop("clutter_1")), "scene: both props and prop have a body 'clutter_1'"),
        (lambda: _of(Props("c", 0, 256)), "scene: there may be at most 256 bodies, got 258"),
        (lambda: _of(Props("c", 0, 253), GoalPlace()), "scene: there may be at most 256 bodies, got 257"),
        (lambda: Props("c", 0, 100_000_000), "props: high must be at most 256, got 100000000"),
        (lambda: Lamps(most=1001), "lamps.most: Input should be less than or equal to 1000, got 1001"),
        (lambda: _of(Bin("b", place=(9, 9))), "boxes.*.position.x: must be a number from -0.3 to 0.088 m, got 9.0"),
        (lambda: _of(Bin(), Prop("mug"), GoalPlace("mgu")), "goal.of: no prop 'mgu'; did you mean 'mug'?"),
        (lambda: _of(Bin(), Prop("mug"), GoalPlace("box")), "goal.of: no prop 'box'; there are ['mug']"),
        (lambda: SceneSpec(entities=(Prop("mug"),)), "scene: prop mug is on a table, and there is none: add Table()"),
        (lambda: SceneSpec(factors={"boxes.0.width": 0.1}), "unknown factor 'boxes.0.width'"),
        (lambda: SceneSpec(factors={"gravity": -1}, entities=(Table(),)), "gravity: must be a number from 0 to 20"),
        (lambda: Props("a", 3, 1), "props: low must be at least 0 and at most high, got 3 and 1"),
        (lambda: Prop("a", "mugg"), "no kind, tag or category of objects 'mugg'; did you mean 'mug'?"),
        (lambda: Bin("a", place=(1, "x")), "bin.place: 1: Input should be a valid number"),
        (lambda: SceneSpec.from_plain({"robt": "panda"}), "scene: has no 'robt'; did you mean 'robot'?"),
        (lambda: SceneSpec.from_plain([]), "scene: must be a mapping, got []"),
        (lambda: SceneSpec.from_plain({"entities": "table"}), "scene: entities must be a list"),
        (lambda: SceneSpec.from_plain({"entities": ["tabel"]}), "no kind of entity 'tabel'; did you mean 'table'?"),
        (lambda: SceneSpec.from_plain({"entities": [{"bin": 3}]}), "bin: must be a mapping of fields, got 3"),
        (lambda: SceneSpec.from_plain({"entities": [{"bin": {"nam": 3}}]}), "bin: has no 'nam'; did you mean 'name'?"),
        (lambda: SceneSpec.from_plain({"entities": [{"prop": {}}]}), "prop: missing 1 required positional argument"),
        (lambda: SceneSpec.from_plain({"entities": [["bin"]]}), "an entity is its kind, or a mapping"),
        (lambda: CameraPlace(name="a", mount="wrist", target=(0, 0, 0)), "must have either a position and a target"),
        (
            lambda: SceneSpec(entities=(CameraRig((CameraPlace(name="a", mount="wirst"),)),)),
            "camera 'a': robot 'panda' has no mount or link 'wirst'; did you mean 'wrist'?",
        ),
    ],
)
def test_a_wrong_spec_is_one_line(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        make()
    assert not isinstance(error.value, ConfigurationError) or "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "a.b *", "a" * 65, "Mug", "1", "a\n"])
@pytest.mark.parametrize("make", [Bin, Prop, lambda name: Props(name, 0, 1)])
def test_a_name_is_a_word(make: Any, name: str) -> None:
    assert make("a" * 64).name == "a" * 64
    with pytest.raises(ConfigurationError, match=r"^(bin|props?)\.name: .*a name is a small letter, then"):
        make(name)


def test_bins_do_not_overlap() -> None:
    entities = (Table(), Bin("one", place=(0.0, 0.2)), Bin("other", place=(0.0, -0.2)))
    drawn = {f"boxes.*.position.{axis}": Uniform(-0.28, 0.08) for axis in "xy"} | {"boxes.*.yaw": Uniform(-3, 3)}
    for index in range(30):
        one, other = sample_scene(SceneSpec(entities=entities), Randomization(drawn), Streams(1, index)).scene.bodies[
            2:
        ]
        gap = np.hypot(*np.subtract(one.position, other.position)[:2])
        assert gap > 0.176  # the width of either with its walls
    with pytest.raises(DrawError, match="the bins 'one' and 'other' overlap: .*boxes.1.position"):
        sample_scene(SceneSpec(entities=entities), Randomization({"boxes.*.position.y": 0.1}), Streams(0))
    for index in range(5):
        sample_scene(SceneSpec(entities=entities), DEFAULT, Streams(0, index))


def test_what_is_asked_of_all_is_cut_to_what_each_may_be() -> None:
    spec = SceneSpec(entities=(Table(), Prop("mug", "mug"), Prop("any"), Props("round", 2, 2, ("sphere", "cylinder"))))
    drawn = [sample_scene(spec, DEFAULT, Streams(3, index)).parameters for index in range(60)]
    kinds = [{one[f"objects.{i}.kind"] for one in drawn} for i in range(4)]
    assert kinds[0] == {"mug"} and len(kinds[1]) > 6 and kinds[2] == kinds[3] == {"sphere", "cylinder"}
    assert {one["objects.count"] for one in drawn} == {4}
    for wrong in ({"objects.0.kind": "duck"}, {"objects.count": 2}, {"objects.*.kind": "cone"}):
        with pytest.raises(ConfigurationError, match="must be"):
            sample_scene(spec, Randomization(wrong), Streams(0))
    sample_scene(spec, Randomization({"objects.count?": 2, "objects.9.mass?": 1.0}), Streams(0))


def test_every_address_of_a_preset_is_one_of_what_ships() -> None:
    space = SceneSpec(entities=(*TABLE.entities, Bin(), GoalPlace("object"), Words.example())).space
    for preset in PRESETS.values():
        space.check(preset.by_address)
        assert preset.optional == set(preset.by_address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("grvity?", "unknown factor 'grvity'; did you mean 'gravity'?"),
        ("boxes.*.widht?", "unknown factor 'boxes.*.widht'; did you mean 'boxes.*.width'?"),
        ("boxes.one.width?", "unknown factor 'boxes.one.width'; did you mean 'boxes.*.width'?"),
        ("boxes.*.width?", "boxes.*.width: must be a number from 0.08 to 0.2 m, got 7"),
        ("goal.on_tabel?", "unknown factor 'goal.on_tabel'; did you mean 'goal.on_table'?"),
    ],
)
def test_what_need_not_be_there_is_a_factor_of_some_scene(address: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        sample_scene(TABLE, Randomization({address: 7}), Streams(0))


@pytest.mark.parametrize("address", ["boxes.5.width?", "boxes.*.width?", "objects.9.mass?", "camera.nose.fov?"])
def test_what_need_not_be_there_changes_nothing(address: str) -> None:
    assert sample_scene(TABLE, Randomization({address: 0.2}), Streams(0)) == sample_scene(TABLE, NONE, Streams(0))


def test_a_kind_of_entity_is_there_once() -> None:
    with pytest.raises(ConfigurationError, match="there already is a kind of entity 'bin': simworld.building"):

        class Bucket(Entity):
            kind = "bin"


def test_a_randomization_of_any_scene() -> None:
    """A preset is one for scenes that it knows nothing of."""
    for index in range(3):
        sample_scene(CROWDED, Randomization({"objects.*.mass": Uniform(0.1, 0.2)}), Streams(0, index))
