"""A Randomization is checked when it is made, and comes back from plain data and from an environment's spec."""

import copy
import json
import pickle
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

import simworld  # noqa: F401
from simworld.envs.tasks import TASKS
from simworld.errors import ConfigurationError
from simworld.randomization import (
    DEFAULT,
    FACTORS,
    HSV,
    NOMINAL,
    NONE,
    Choice,
    Constant,
    Integers,
    LogUniform,
    Normal,
    Randomization,
    Uniform,
    as_randomization,
)


def test_presets_and_mappings() -> None:
    assert as_randomization("none") == NONE == Randomization()
    assert as_randomization({"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert as_randomization({"objects.*.mass": {"loguniform": [0.1, 1]}})["objects.*.mass"] == LogUniform(0.1, 1)
    assert (DEFAULT | {"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert set(NONE) == set(FACTORS)


@pytest.mark.parametrize("address", FACTORS)
def test_every_nominal_value_is_allowed(address: str) -> None:
    factor = FACTORS[address]
    assert factor.meaning and factor.low < factor.high
    assert Randomization({address: factor.nominal})[address] == NOMINAL[address]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"box.heigth": 0.1}, "did you mean 'box.height'"),
        ({3: 4}, "an address is a string, got 3"),
        ({"objects.*.mass": "heavy"}, "objects.*.mass: must be a number from 0.001 to 10 kg, got 'heavy'"),
        ({"objects.*.mass": -1}, "objects.*.mass: must be a number from 0.001 to 10 kg, got -1"),
        ({"objects.*.mass": None}, "got None"),
        ({"objects.*.mass": True}, "got True"),
        ({"objects.*.mass": float("nan")}, "got nan"),
        ({"objects.*.mass": float("inf")}, "got inf"),
        ({"objects.*.mass": Uniform(-1, 1)}, "got Uniform(low=-1, high=1)"),
        ({"objects.*.mass": Uniform(1, 2) * 6}, "objects.*.mass: must be"),
        ({"objects.*.mass": {"unifrom": [1, 2]}}, "objects.*.mass: a distribution is one of"),
        ({"objects.*.mass": {"uniform": ["a", "b"]}}, "objects.*.mass: Uniform(low='a', high='b')"),
        ({"objects.*.mass": HSV()}, "objects.*.mass: must be a number"),
        ({"objects.*.width": -0.04}, "objects.*.width: must be a number from 0.01"),
        ({"objects.*.kind": "cone"}, "objects.*.kind: must be one of ['box', 'cylinder', 'sphere', 'compound', 'duck'"),
        ({"objects.*.kind": Choice(("box", "cone"))}, "objects.*.kind: must be one of"),
        ({"objects.*.kind": Normal(0, 1)}, "objects.*.kind: must be one of"),
        ({"objects.count": 2.5}, "objects.count: must be a whole number from 1 to 8, got 2.5"),
        ({"objects.count": 9}, "objects.count: must be a whole number from 1 to 8, got 9"),
        ({"objects.count": Uniform(1, 3)}, "objects.count: must be a whole number"),
        ({"objects.count": Normal(2, 1)}, "objects.count: must be a whole number"),
        ({"objects.count": Choice((1, 2.5))}, "objects.count: must be a whole number"),
        ({"objects.count": Integers(0, 3)}, "objects.count: must be a whole number"),
        ({"table.color": "red"}, "table.color: must be a colour: 3 numbers in 0..1, got 'red'"),
        ({"table.color": (0.5, 0.5)}, "table.color: must be a colour"),
        ({"table.color": (0, 0, 255)}, "table.color: must be a colour"),
        ({"table.color": Uniform(0, 1)}, "table.color: must be a colour"),
        ({"lights.ambient": 30}, "lights.ambient: must be a number from 0 to 5, got 30"),
        ({"box.width": 0}, "box.width: must be"),
        ({"robot.joints.*.offset": 9.0}, "robot.joints.*.offset: must be a number from -0.15 to 0.15 rad, got 9.0"),
        ({"objects.*.position.x": 5.0}, "objects.*.position.x: must be"),
        ({"box.position.x": 3.0}, "box.position.x: must be"),
    ],
)
def test_impossible_factors_are_refused_at_once(factors: Mapping[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        gym.make("simworld/PickAndPlace-v0", randomization=factors)
    assert message in str(error.value)


@pytest.mark.parametrize("randomization", [NONE, DEFAULT, *(task.layout.factors for task in TASKS.values())])
def test_copies_are_equal(randomization: Randomization) -> None:
    plain = json.loads(json.dumps(randomization.to_plain()))
    for again in (Randomization.from_plain(plain), copy.deepcopy(randomization)):
        assert again == randomization and hash(again) == hash(randomization)
    assert pickle.loads(pickle.dumps(randomization)) == randomization


@pytest.mark.parametrize(
    "randomization",
    [
        "default",
        DEFAULT,
        {"objects.*.mass": LogUniform(0.2, 0.4), "objects.*.kind": "mug", "table.color": (0.1, 0.2, 0.3)},
        {"objects.*.mass": 0.1 + Uniform(0.2, 0.4), "objects.count": Choice((1, 2)), "box.yaw": {"normal": [0, 0.1]}},
    ],
    ids=["preset", "object", "mapping", "plain"],
)
def test_an_environment_comes_back_from_its_spec(randomization: Any) -> None:
    with closing(gym.make("simworld/PlaceInBox-v0", randomization=randomization)) as env:
        assert env.spec is not None
        assert env.unwrapped.randomization == as_randomization(randomization)  # type: ignore[attr-defined]
        with closing(gym.make(EnvSpec.from_json(env.spec.to_json()))) as again:
            assert again.spec == env.spec
            assert again.unwrapped.randomization == env.unwrapped.randomization  # type: ignore[attr-defined]
            (one, about_one), (two, about_two) = env.reset(seed=5), again.reset(seed=5)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert about_one == about_two
