"""What is drawn and cannot be real is drawn again from its own streams; what never can be is refused at once."""

import itertools
import math
from contextlib import closing
from typing import Any

import gymnasium as gym
import pytest

from simworld.building import views
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.placement import CLEARANCE, CROWDED, GOAL_DISTANCE
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Correlated, Mixture
from simworld.distributions.expressions import Constant
from simworld.distributions.geometric import InBox
from simworld.distributions.univariate import Integers, Uniform
from simworld.envs.tasks import shipped_task
from simworld.errors import ConfigurationError, DrawError
from simworld.randomization.presets import DEFAULT, EXTREME, NONE, PRESETS
from simworld.randomization.redrawn import tally
from simworld.randomization.sampling import Sample, check_scenes, sample_scene
from simworld.scene.model import Body
from simworld.scene.shapes import footprint_radius
from simworld.streams import Streams

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

IN_BOX, PICK, REACH = (shipped_task(task).scene for task in ("place_in_box", "pick_and_place", "reach"))
LENS = {f"camera.wrist.distortion.{term}" for term in ("k1", "k2", "p1", "p2")}


def drawn(more: Any, index: int, layout: Any = IN_BOX, given: Any = None) -> Sample:
    return sample_scene(layout, NONE | more, Streams(7, index), given)


def redrawn(samples: list[Sample]) -> set[str]:
    """What was drawn again of some samples, places of objects apart."""
    return {name for sample in samples for name in sample.redrawn if not name.startswith("objects.0.position")}


def test_only_a_lens_that_folds_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [sample_scene(IN_BOX, EXTREME, Streams(3, i)) for i in range(60)]
    monkeypatch.setattr(views, "is_real", lambda *_: True)
    firsts = [sample_scene(IN_BOX, EXTREME, Streams(3, i)) for i in range(60)]
    again = 0
    for sample, first in zip(samples, firsts, strict=True):
        changed = {name for name, value in sample.parameters.items() if first.parameters[name] != value}
        assert changed == {name for name in sample.redrawn if ".distortion." in name}
        assert changed in (set(), LENS)
        assert (sample.scene == first.scene) == (not changed)
        again += bool(changed)
    assert again >= 5


def test_what_was_drawn_again_can_be_given_back() -> None:
    samples = [sample_scene(IN_BOX, EXTREME, Streams(3, i)) for i in range(60)]
    lenses = [sample for sample in samples if sample.redrawn.keys() >= LENS]
    for sample in lenses[:5] + [drawn({"objects.count": 8}, i) for i in range(3)]:
        again = sample_scene(IN_BOX, NONE, Streams(99), sample.parameters)
        assert again == sample and again.redrawn == {}
        assert drawn({}, 0, given=dict(sample.parameters)).scene == sample.scene


@pytest.mark.parametrize("task", ["pick_and_place", "place_in_box"])
@pytest.mark.parametrize("preset", ["none", "default", "full", "extreme"])
@pytest.mark.parametrize("count", range(1, 9))
def test_as_many_objects_as_may_be_asked_for_have_room(count: int, preset: str, task: str) -> None:
    for index in range(3):
        sample = sample_scene(shipped_task(task).scene, PRESETS[preset] | {"objects.count": count}, Streams(5, index))
        assert not any(name.startswith("objects.") and ".position." not in name for name in sample.redrawn)
        objects = [body for body in sample.scene.bodies if body.name.startswith("object")]
        assert len(objects) == count
        assert all(gap(objects[0], other) >= CLEARANCE - 1e-12 for other in objects[1:])
        assert all(
            gap(*two) >= (CROWDED if count > 5 else CLEARANCE) - 1e-12 for two in itertools.combinations(objects, 2)
        )


def gap(one: Body, other: Body) -> float:
    """Metres between the footprints of two bodies that stand upright."""
    return math.dist(one.position[:2], other.position[:2]) - footprint_radius(one.parts) - footprint_radius(other.parts)


LARGE = {f"objects.*.{side}": 0.1 for side in ("width", "depth")}


def test_sizes_without_room_are_drawn_again_before_the_count_is() -> None:
    wide = {"objects.count": 8, **{f"objects.*.{side}": Uniform(0.01, 0.1) for side in ("width", "depth")}}
    samples = [drawn(wide, i) for i in range(5)]
    assert "objects.7.width" in redrawn(samples)
    assert all(sample.parameters["objects.count"] == 8 for sample in samples)
    samples = [drawn(LARGE | {"objects.count": Integers(1, 8)}, i) for i in range(8)]
    counts = {sample.parameters["objects.count"] for sample in samples}
    assert "objects.count" in redrawn(samples) and max(counts) < 8 and len(counts) > 2


def test_the_box_makes_room() -> None:
    samples = [drawn({"boxes.0.position.y": Uniform(-0.288, 0.288)}, i) for i in range(12)]
    assert redrawn(samples) == {"boxes.0.position.y"}


def test_an_object_makes_room_for_a_goal_that_is_given() -> None:
    goal = {"goal.position.x": 0.0, "goal.position.y": 0.0, "goal.on_table": 1}
    near = {"objects.*.position.x": Uniform(-0.07, 0.07), "objects.*.position.y": Uniform(-0.07, 0.07)}
    for index in range(12):
        sample = drawn(goal | near, index, PICK)
        assert math.hypot(*sample.scene.bodies[sample.scene.body_index("object")].position[:2]) >= GOAL_DISTANCE


def test_a_camera_that_looks_at_itself_is_drawn_again() -> None:
    places = Choice(((0.4, 0.0, 0.4), (0.0, 0.0, 0.1)))
    samples = [drawn({"camera.front.position": places, "camera.front.target": (0.0, 0.0, 0.1)}, i) for i in range(9)]
    assert redrawn(samples) == {"camera.front.position"}
    assert {sample.parameters["camera.front.position"] for sample in samples} == {(0.4, 0.0, 0.4)}


def test_a_draw_that_is_not_allowed_is_drawn_again() -> None:
    some = Mixture((Constant(1), Constant(2.5), Constant(3)))  # between its bounds, though not whole
    samples = [drawn({"objects.count": some}, i) for i in range(20)]
    assert {sample.parameters["objects.count"] for sample in samples} == {1, 3}
    assert "objects.count" in redrawn(samples)


def test_a_pair_is_drawn_again_as_a_pair() -> None:
    distribution = Correlated(Uniform(-0.15, 0.15), Uniform(1.1, 1.3), 0.99)
    pair = {"camera.wrist.distortion.k1 + camera.wrist.fov": distribution}
    samples = [drawn(pair, i) for i in range(30)]
    again = [i for i, sample in enumerate(samples) if sample.redrawn.get("camera.wrist.fov")]
    assert len(again) >= 3
    for i in again:
        generator = Streams(7, i)(next(iter(pair)))
        values = [distribution(generator) for _ in range(samples[i].redrawn["camera.wrist.fov"] + 1)]
        assert tuple(samples[i].parameters[f"camera.wrist.{what}"] for what in ("distortion.k1", "fov")) == values[-1]


def test_a_field_of_view_is_drawn_again_where_no_lens_helps() -> None:
    wide = {f"camera.wrist.distortion.{term}": Uniform(-0.15, -0.1) for term in ("k1", "k2")}
    samples = [drawn(wide | {"camera.wrist.fov": Uniform(0.2, 2.0)}, i) for i in range(12)]
    assert {"camera.wrist.distortion.k1", "camera.wrist.fov"} <= redrawn(samples)


@pytest.mark.parametrize(
    ("task", "more", "message"),
    [
        ("place_in_box", LARGE | {"objects.count": 8}, r"no free place .* for 8 objects, \d at most: .*objects.count"),
        ("pick_and_place", LARGE | {"objects.count": 8}, r"no free place .* for 8 objects, \d at most"),
        ("place_in_box", {"boxes.0.position.y": -0.12}, r"for 1 objects, 0 at most: .*boxes\.\*\.position"),
        (
            "pick_and_place",
            {"objects.0.position.x": 0.0, "objects.0.position.y": 0.0}
            | {"goal.position.x": 0.0, "goal.position.y": 0.0, "goal.on_table": 1},
            r"no goal at least 0.06 m from the object .*: widen goal\.position\.\*",
        ),
        ("reach", {"camera.*.distortion.k1": -0.15}, r"camera\.wrist\.distortion: \(-0.15, .* folds the image"),
        (
            "reach",
            {"camera.wrist.distortion.k1": Uniform(-0.15, -0.14), "camera.wrist.fov": 2.0},
            r"camera\.wrist\.distortion: .* folds the image onto itself: .* narrower camera\.wrist\.fov \(the last of",
        ),
        ("reach", {"camera.top.position": (0, 0, 0), "camera.top.target": (0, 0, 0)}, "top.position must differ from"),
    ],
)
def test_what_can_never_be_is_refused_before_anything_starts(task: str, more: Any, message: str) -> None:
    with pytest.raises(DrawError, match=message) as refused:
        check_scenes(shipped_task(task).scene, NONE | more)
    assert isinstance(refused.value, ConfigurationError) and "\n" not in str(refused.value)
    names = {"reach": "Reach", "pick_and_place": "PickAndPlace", "place_in_box": "PlaceInBox"}
    with pytest.raises(ConfigurationError, match=message):
        gym.make(f"simworld/{names[task]}-v0", randomization=more)


def test_values_that_are_given_and_cannot_be_are_refused_by_reset() -> None:
    with closing(gym.make("simworld/PickAndPlace-v0", randomization="default")) as env:
        env.reset(seed=3)
        before = env.get_wrapper_attr("parameters")
        for given, message in (
            ({"camera.wrist.distortion.k1": -0.15, "camera.wrist.fov": 1.3}, "camera.wrist.distortion: .* folds"),
            (
                {f"objects.{i}.position.{axis}": 0.0 for i in range(2) for axis in "xy"} | {"objects.count": 2},
                "no free",
            ),
        ):
            with pytest.raises(ConfigurationError, match=message):
                env.reset(options={"parameters": given})
        assert env.get_wrapper_attr("parameters") == before


def test_wide_distributions_of_everything_end_no_run() -> None:
    """Each factor alone, all over what it may be, over the widest preset; each of all tasks in turn."""
    layouts = itertools.cycle((IN_BOX, PICK, REACH))
    for address, factor in SPACE.items():
        distribution: Any = {
            "number": Uniform(factor.low, factor.high),
            "whole": Integers(int(factor.low), int(factor.high)),
            "position": InBox((factor.low,) * 3, (factor.high,) * 3),
        }.get(factor.kind)
        if distribution is not None:
            sample_scene(next(layouts), EXTREME | {f"{address}?": distribution}, Streams(1, 1))


def test_what_was_drawn_again_is_counted_by_factor() -> None:
    lens = dict.fromkeys(LENS, 2)
    assert tally([lens, {}, {"objects.1.position.x": 5, "objects.2.position.y": 1}, lens | {"objects.count": 1}]) == {
        "camera.*.distortion": 2,
        "objects.*.position": 1,
        "objects.count": 1,
    }
    first = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(0, 1))
    assert first.redrawn.keys() <= {f"objects.{i}.position.{axis}" for i in range(3) for axis in "xy"}
    assert all(count > 0 for count in first.redrawn.values())
