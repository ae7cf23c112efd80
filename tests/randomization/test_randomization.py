"""A Randomization is checked when it is made, and comes back from plain data and from an environment's spec."""

import copy
import json
import math
import pickle
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

import simworld  # noqa: F401
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV, Correlated
from simworld.distributions.expressions import Constant
from simworld.distributions.text import parse
from simworld.distributions.univariate import Integers, LogUniform, Normal, Uniform
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError
from simworld.randomization.presets import DEFAULT, NONE, as_randomization
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))


def test_presets_and_mappings() -> None:
    assert as_randomization("none") == NONE == Randomization()
    assert as_randomization({"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert as_randomization({"objects.*.mass": {"loguniform": [0.1, 1]}})["objects.*.mass"] == LogUniform(0.1, 1)
    assert (DEFAULT | {"objects.*.mass": 0.2})["objects.*.mass"] == Constant(0.2)
    assert len(NONE) == 0 and "gravity" not in NONE
    assert list(Randomization({"gravity": 9.0, "objects.*.mass?": 0.2})) == ["gravity", "objects.*.mass?"]


@pytest.mark.parametrize("address", SPACE)
def test_every_nominal_value_is_allowed(address: str) -> None:
    factor = SPACE[address]
    assert factor.meaning and factor.low < factor.high
    assert Randomization({address: factor.nominal})[address] == SPACE.nominal[address]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"boxes.0.heigth": 0.1}, "did you mean 'boxes.*.height'"),
        ({3: 4}, "an address is a string, got 3"),
        ({"objects.*.mass": "heavy"}, "objects.*.mass: must be a number from 0.02 to 10 kg, got 'heavy'"),
        ({"objects.*.mass": -1}, "objects.*.mass: must be a number from 0.02 to 10 kg, got -1"),
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
        (
            {"objects.*.kind": "cone"},
            "objects.*.kind: must be a kind of those that `simworld objects` lists, got 'cone'; did you mean",
        ),
        ({"objects.*.kind": Choice(("cuboid", "cone"))}, "objects.*.kind: must be a kind of those that"),
        ({"objects.*.kind": Normal(0, 1)}, "objects.*.kind: must be a kind of those that"),
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
        ({"boxes.0.width": 0}, "boxes.0.width: must be"),
        ({"robot.joints.*.offset": 9.0}, "robot.joints.*.offset: must be a number from -0.15 to 0.15 rad, got 9.0"),
        ({"objects.*.position.x": 5.0}, "objects.*.position.x: must be"),
        ({"boxes.0.position.x": 3.0}, "boxes.0.position.x: must be"),
    ],
)
def test_impossible_factors_are_refused_at_once(factors: Mapping[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        gym.make("simworld/PlaceInBox-v0", randomization=factors)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "randomization", [NONE, DEFAULT, *(Randomization(task.scene.factors) for task in shipped().values())]
)
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
        {
            "objects.*.mass": 0.1 + Uniform(0.2, 0.4),
            "objects.count": Choice((1, 2)),
            "boxes.0.yaw": {"normal": [0, 0.1]},
        },
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


def test_two_factors_are_drawn_as_a_pair() -> None:
    distribution = Correlated(Uniform(0.05, 0.5), Uniform(0.3, 1.0), 0.9)
    pairs = Randomization({"objects.*.mass + objects.*.friction": distribution, "objects.count": 2})
    assert Randomization.from_plain(json.loads(json.dumps(pairs.to_plain()))) == pairs
    assert all(parse(str(pairs[f"objects.*.{side}"])) == pairs[f"objects.*.{side}"] for side in ("mass", "friction"))
    drawn = [sample_scene(ALONE, pairs, Streams(3, i)).parameters for i in range(400)]
    ranks = {name: np.argsort(np.argsort([p[name] for p in drawn])) for name in drawn[0] if name.startswith("objects.")}
    # The correlation of the ranks of a Gaussian copula, by its closed form, within four standard errors.
    expected = 6 / math.pi * math.asin(0.9 / 2)
    for i in range(2):
        assert np.corrcoef(ranks[f"objects.{i}.mass"], ranks[f"objects.{i}.friction"])[0, 1] == pytest.approx(
            expected, abs=0.05
        )
    assert abs(np.corrcoef(ranks["objects.0.mass"], ranks["objects.1.mass"])[0, 1]) < 0.2
    # What is imposed, or drawn otherwise, leaves the other one as it is.
    alone = sample_scene(ALONE, pairs, Streams(3, 0), {"objects.0.mass": 0.2}).parameters
    assert alone["objects.0.mass"] == 0.2 and alone["objects.0.friction"] == drawn[0]["objects.0.friction"]
    one, two = pairs.split(0.25)
    for side, middle in (("mass", 0.3875), ("friction", 0.825)):
        parts = one[f"objects.*.{side}"], two[f"objects.*.{side}"]
        assert parts[0].support()[1] == parts[1].support()[0] == pytest.approx(middle)


def test_places_are_drawn_as_a_pair() -> None:
    distribution = Correlated(Uniform(-0.1, 0.1), Uniform(-0.1, 0.1), 0.95)
    pairs = Randomization({"objects.*.position.x + objects.*.position.y": distribution})
    places = [sample_scene(ALONE, pairs, Streams(3, i)).parameters for i in range(200)]
    x, y = ([p[f"objects.0.position.{axis}"] for p in places] for axis in "xy")
    assert np.corrcoef(x, y)[0, 1] > 0.9


def test_a_factor_is_there_once() -> None:
    distribution = Correlated(Uniform(0.1, 1), Uniform(0.3, 1), 0.5)
    pair: dict[str, Any] = {"objects.*.mass + objects.*.friction": distribution}
    for factors in (
        {"objects.*.mass": 0.1} | pair,
        pair | {"objects.*.mass": 0.1},
        {"gravity + gravity": distribution},
    ):
        with pytest.raises(ConfigurationError, match="is there twice"):
            Randomization(factors)
    assert (Randomization(pair) | {"objects.*.mass": 0.1})["objects.*.mass"] == Constant(0.1)
    with pytest.raises(ConfigurationError, match="is there twice"):
        Randomization({"gravity": 9.0, "gravity?": 9.5})


@pytest.mark.parametrize(
    ("key", "distribution", "message"),
    [
        ("objects.*.mass + gravity", Correlated(Uniform(1, 2), Uniform(9, 10), 0.5), "two factors of the same things"),
        ("objects.*.mass + objects.*.friction + gravity", 1, "two factors of the same things"),
        ("objects.*.mass + objects.*.friction", Uniform(0.1, 1), "takes a correlated"),
        ("objects.*.mas + objects.*.friction", Correlated(Uniform(0.1, 1), Uniform(0, 1), 0.5), "'objects.*.mass'"),
        ("objects.*.mass + objects.*.friction", Correlated(Uniform(-1, 1), Uniform(0, 1), 0.5), "must be a number"),
    ],
)
def test_bad_pairs_are_refused(key: str, distribution: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        SPACE.check(Randomization({key: distribution}))


def test_what_is_given_is_what_is_iterated() -> None:
    assert Randomization(dict(DEFAULT)) == Randomization({**DEFAULT}) == DEFAULT
    assert "objects.*.mass?" in DEFAULT and DEFAULT["objects.*.mass?"] == DEFAULT["objects.*.mass"]
    assert "gravity?" not in Randomization({"gravity": 9}) and "gravity" in Randomization({"gravity?": 9})
    assert list(DEFAULT | {"objects.*.mass": 0.2})[-1] == "objects.*.mass"
    with pytest.raises(ConfigurationError, match="objects.*.mass: is there twice"):
        Randomization({**DEFAULT, "objects.*.mass": 0.2})
    with pytest.raises(ConfigurationError, match=r"gravity\?\?: an address has one \? at most"):
        Randomization({"gravity??": 9})


def test_text_is_a_distribution() -> None:
    given = {"objects.*.mass": "uniform(0.1, 0.2)", "objects.*.kind": "choice(mug, duck)", "table.texture": "noise"}
    assert Randomization(given) == Randomization(
        {"objects.*.mass": Uniform(0.1, 0.2), "objects.*.kind": Choice(("mug", "duck")), "table.texture": "noise"}
    )
    with pytest.raises(ConfigurationError, match="objects.0.mass: 'unifrm.*did you mean 'uniform'"):
        Randomization({"objects.0.mass": "unifrm(0.1, 0.2)"})
