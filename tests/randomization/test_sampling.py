"""Scenes drawn from named streams: independent factors, exact repetition, things that do not overlap."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from simworld.errors import ConfigurationError, PlacementError
from simworld.randomization import (
    DEFAULT,
    NOMINAL,
    NONE,
    Choice,
    Constant,
    Layout,
    Normal,
    Randomization,
    Uniform,
    sample_scene,
)
from simworld.randomization.factors import starred
from simworld.randomization.placement import CLEARANCE, GOAL_DISTANCE
from simworld.scene.model import Scene
from simworld.scene.shapes import bounds, footprint_radius, rest_height
from simworld.streams import Streams

LAYOUT = Layout(box=True, factors=Randomization({"objects.*.position.y": Uniform(-0.25, 0.0)}))


def test_a_sample_is_a_function_of_seed_and_index() -> None:
    one, two = (sample_scene(LAYOUT, DEFAULT, Streams(4, 7)) for _ in range(2))
    assert one == two
    assert sample_scene(LAYOUT, DEFAULT, Streams(4, 8)).scene != one.scene
    assert sample_scene(LAYOUT, DEFAULT, Streams(5, 7)).scene != one.scene


@pytest.mark.parametrize("address", sorted(DEFAULT.factors))
def test_fixing_one_factor_changes_no_other_draw(address: str) -> None:
    # Sizes move things, as places are rejected where they do not fit: what is drawn for the rest must stay.
    before = sample_scene(LAYOUT, DEFAULT, Streams(1, 3)).parameters
    assert before["objects.count"] == 3
    generator = Streams(99)("fixed")
    fixed = Constant(2 if address == "objects.count" else DEFAULT[address](generator))
    after = sample_scene(LAYOUT, DEFAULT | {address: fixed}, Streams(1, 3)).parameters
    places = ("box.", "objects.count", "objects.*.kind", "objects.*.width", "objects.*.depth", "objects.*.height")
    assert address == "objects.count" or set(after) == set(before)
    for name in set(before) & set(after):
        factor = starred(name)
        if factor == address or (".position." in name and address.startswith(places)):
            continue
        assert after[name] == before[name], name


def test_streams_depend_on_their_name_alone() -> None:
    streams = Streams(3, 1)
    first = streams("a").random(5)
    streams("b").random(100)
    assert np.array_equal(streams("a").random(5), first)
    assert not np.array_equal(streams("b").random(5), first)
    assert not np.array_equal(Streams(31)("a").random(5), Streams(3, 1)("a").random(5))


def test_objects_do_not_overlap() -> None:
    for index in range(100):
        scene = sample_scene(LAYOUT, DEFAULT | {"objects.count": 3}, Streams(0, index)).scene
        objects = [body for body in scene.bodies if body.name.startswith("object")]
        assert len(objects) == 3
        for a, b in itertools.combinations(objects, 2):
            gap = math.dist(a.position[:2], b.position[:2])
            radii = footprint_radius(a.parts) + footprint_radius(b.parts)
            assert gap >= radii + CLEARANCE - 1e-12


def test_too_many_objects_are_a_clear_error() -> None:
    crowd = DEFAULT | {"objects.count": 8, "objects.*.position.x": Uniform(-0.05, 0.05)}
    with pytest.raises(PlacementError, match="no free place on the table for 8 objects"):
        sample_scene(LAYOUT, crowd, Streams(0, 0))


def test_goals_are_clear_of_every_object() -> None:
    layout = Layout(factors=Randomization({"goal.on_table": Choice((0, 1)), "goal.position.z": Uniform(0.03, 0.25)}))
    low = 0
    for index in range(200):
        scene, parameters = _scene(layout, DEFAULT | {"objects.count": 4}, index)
        goal = [parameters[f"goal.position.{axis}"] for axis in "xyz"]
        target, *others = [body for body in scene.bodies if body.name.startswith("object")]
        assert math.dist(goal, target.position) >= GOAL_DISTANCE
        for other in others:
            if goal[2] - rest_height(target.parts) < other.position[2] + bounds(other.parts)[2]:
                low += 1
                radii = footprint_radius(target.parts) + footprint_radius(other.parts)
                assert math.dist(goal[:2], other.position[:2]) >= radii
    assert low > 200


def test_draws_of_unbounded_distributions_are_checked() -> None:
    masses = Randomization({"objects.*.mass": Normal(0.1, 1.0)})
    with pytest.raises(ConfigurationError, match=r"objects\.0\.mass: must be a number from 0.001 to 10 kg, got -"):
        for index in range(20):
            sample_scene(LAYOUT, masses, Streams(0, index))
    places = Randomization({"box.position.x": Normal(0.0, 1e-3), "objects.*.position.x": Normal(0.0, 1.0)})
    with pytest.raises(ConfigurationError, match=r"objects\.0\.position\.x: must be a number from -0.4"):
        for index in range(20):
            sample_scene(LAYOUT, places, Streams(0, index))


def _scene(layout: Layout, randomization: Randomization, index: int) -> tuple[Scene, Mapping[str, Any]]:
    sample = sample_scene(layout, randomization, Streams(0, index))
    return sample.scene, sample.parameters


def test_a_nominal_scene_is_the_nominal_one() -> None:
    parameters = sample_scene(LAYOUT, NONE, Streams(0, 0)).parameters
    for name, value in parameters.items():
        factor = starred(name)
        if isinstance(NOMINAL[factor], Constant):
            assert value == NOMINAL[factor].value
