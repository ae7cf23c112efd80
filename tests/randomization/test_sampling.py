"""Scenes drawn from named streams: independent factors, exact repetition, things that do not overlap."""

import itertools
import math

import numpy as np
import pytest

from simworld.errors import ConfigurationError, PlacementError
from simworld.randomization import (
    DEFAULT,
    NOMINAL,
    NONE,
    Constant,
    Layout,
    Randomization,
    Uniform,
    as_randomization,
    sample_scene,
)
from simworld.randomization.sampling import CLEARANCE
from simworld.scene.shapes import footprint_radius
from simworld.streams import Streams

LAYOUT = Layout(box=True, factors=Randomization({"objects.*.position.y": Uniform(-0.25, 0.0)}))


def test_a_sample_is_a_function_of_seed_and_index() -> None:
    one, two = (sample_scene(LAYOUT, DEFAULT, Streams(4, 7)) for _ in range(2))
    assert one == two
    assert sample_scene(LAYOUT, DEFAULT, Streams(4, 8)).scene != one.scene
    assert sample_scene(LAYOUT, DEFAULT, Streams(5, 7)).scene != one.scene


@pytest.mark.parametrize("address", sorted(set(DEFAULT.factors) - {"objects.count", "objects.*.kind"}))
def test_fixing_one_factor_changes_no_other_draw(address: str) -> None:
    # Sizes move things, as places are rejected where they do not fit: what is drawn for the rest must stay.
    before = sample_scene(LAYOUT, DEFAULT, Streams(1, 3)).parameters
    generator = Streams(99)("fixed")
    fixed = Constant(DEFAULT[address](generator))
    after = sample_scene(LAYOUT, DEFAULT | {address: fixed}, Streams(1, 3)).parameters
    places = ("box.", "objects.*.width", "objects.*.depth", "objects.*.height")
    for name in before:
        factor = ".".join("*" if part.isdecimal() else part for part in name.split("."))
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
            radii = footprint_radius(a.parts[0].shape) + footprint_radius(b.parts[0].shape)
            assert gap >= radii + CLEARANCE - 1e-12


def test_too_many_objects_are_a_clear_error() -> None:
    crowd = DEFAULT | {"objects.count": 8, "objects.*.position.x": Uniform(-0.05, 0.05)}
    with pytest.raises(PlacementError, match="no free place on the table for 8 objects"):
        sample_scene(LAYOUT, crowd, Streams(0, 0))
    with pytest.raises(ConfigurationError, match="objects.count: must be from 1 to 8, got 9"):
        sample_scene(LAYOUT, NONE | {"objects.count": 9}, Streams(0, 0))
    with pytest.raises(ConfigurationError, match="objects.0.kind: must be one of"):
        sample_scene(LAYOUT, NONE | {"objects.*.kind": "cone"}, Streams(0, 0))


def test_presets_and_mappings() -> None:
    assert as_randomization("none") == NONE == Randomization()
    assert as_randomization({"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert (DEFAULT | {"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert set(NONE) == set(NOMINAL)
    with pytest.raises(ConfigurationError, match="did you mean 'box.height'"):
        Randomization({"box.heigth": 0.1})


def test_a_nominal_scene_is_the_nominal_one() -> None:
    parameters = sample_scene(LAYOUT, NONE, Streams(0, 0)).parameters
    for name, value in parameters.items():
        factor = ".".join("*" if part.isdecimal() else part for part in name.split("."))
        if isinstance(NOMINAL[factor], Constant):
            assert value == NOMINAL[factor].value
