"""Quotas that mean nothing, or are no quotas, are refused at once, in one line."""

import random
import re
from typing import Any

import pytest
from refused import refusal, tried

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import Integers, Uniform
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.cells import Cell
from simworld.randomization.quotas.feature import Feature
from simworld.randomization.quotas.quota import Quota, read_quotas
from simworld.randomization.quotas.search import Outcome, search_quotas
from simworld.randomization.randomization import Randomization

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))


KINDS = {
    "occlusion": Feature(float, (0.0, 1.0)),
    "camera": Feature(str, ("front", "side")),
    "touching": Feature(bool),
    "length": Feature(int, (1, 100)),
}


def search(quota: str, factors: Randomization | None = None) -> Any:
    def evaluate(number: int, imposed: Any) -> Outcome:
        return Outcome({"occlusion": 1.0, "camera": "front", "touching": False, "length": 3}, {})

    known = Possible(IN_BOX, factors or Randomization()).factors()
    return search_quotas([quota], 10, evaluate, budget=100, seed=0, factors=known, space=IN_BOX.space, features=KINDS)


@pytest.mark.parametrize(
    ("quota", "message"),
    [
        ("occlusion[1.1,2]=5%", r"occlusion: it is never \[1.1,2\], but from 0 to 1"),
        ("occlusion=[0,0.5]:20%,[0.5,1]:20%", "always in one of these cells"),
        ("length=0:5%", "length: it is never 0, but from 1 to 100"),
        ("camera=top:5%", "camera: it is never top, but front or side"),
        ("camera=front:5%,side:20%", "always in one of these cells"),
        ("objects.1.mass[0.1,0.2]=5%", "nothing here has it; did you mean 'objects.0.mass'"),
        ("objects.9.kind=uniform", "did you mean 'objects.0.kind'"),
        ("objects.1.kind=uniform", "nothing here has it"),
        ("goal.position.x[0,0.1]=5%", "nothing here has it"),
        ("robot.texture=noise:5%", "nothing here has it"),
        ("objects.0.mass[0.1,0.3]=5%", "objects.0.mass: anything else is never drawn"),
        ("objects.0.mass[0.2,0.2]=5%", r"objects.0.mass: \[0.2,0.2\] is never drawn"),
        ("length=5:" + "9" * 4500, "amount"),
        ("occlusion[0," + "9" * 4500 + "]=5%", "number"),
        ("a" * 4500 + "=5%", "name"),
        ("noise.seed=uniform", "list its cells"),
        ("noise.seed=uniform(1,9999999999)", "9999999999 is never drawn"),
        ("noise.seed=uniform(1,abc)", "noise.seed is a number"),
        ("noise.seed=abc:5%", "noise.seed is a number"),
        ("table.color=5%", "neither a number nor a name"),
        ("occlusion=5%", r"occlusion is a number: give an interval, as in occlusion\[LOW,HIGH\]=5%"),
        ("occlusion=0:5%", "occlusion is a number: give an interval"),
        ("objects.0.mass=5%", r"objects.0.mass is a number: give an interval"),
        ("length=5%", "length is a number"),
        ("camera=5%", "camera is a name"),
        ("camera[0,1]=5%", "camera is a name"),
        ("touching[0,1]=5%", "touching is true or false"),
        ("touching=front:5%", "touching is true or false"),
        ("length=" + "9" * 5000 + ":5%", "digits"),
        ("length=uniform(" + ",".join(map(str, range(3000))) + ")", "characters|cells"),
        ("objects.0.mass[0," + "9" * 400 + "]=5%", "finite|number"),
    ],
)
def test_quotas_that_mean_nothing_are_refused(quota: str, message: str) -> None:
    factors = Randomization({"objects.*.mass": Uniform(0.1, 0.3)})
    told = refusal(lambda: search(quota, factors))
    assert re.search(message, told) and len(told) < 1000


@pytest.mark.parametrize("what", ["abc", "0x1"])
def test_names_are_not_looked_for_among_all_the_numbers_of_a_range(what: str) -> None:
    assert "is never drawn" in refusal(lambda: Quota("a", (Cell(what, 0.5),)).over(Integers(0, 2**32 - 1)))


@pytest.mark.parametrize(
    "quota",
    ["occlusion[0,0.9]=5%", "occlusion[0,1]=100%", "camera=front:5%", "touching=5%", "length=3:5%", "length[1,5]=1"],
)
def test_quotas_that_mean_something_are_taken(quota: str) -> None:
    assert search(quota).plan.quotas == (Quota.parse(quota),)


@pytest.mark.parametrize(
    "value",
    [3, None, [3], [None], {3: "5%"}, {"a": None}, {"a": [1]}, {"a": {"b": {}}}, {"a": {None: 1}}, "dropped=5%"],
)
def test_quotas_of_another_form_are_one_line(value: Any) -> None:
    refusal(lambda: read_quotas(value))


def test_fuzzed_quotas_are_quotas_or_one_line() -> None:
    rng = random.Random(4)
    parts = ["occlusion", "objects.0.kind", "noise.seed", "=", "[", "]", ":", ",", "%", "5", "0.5", "uniform", "(", ")"]
    parts += ["true", "mug", "inf", "nan", "-1", "1e999", "9" * 30, "²", "٣", " ", "*"]
    factors = Randomization({"objects.0.kind": Choice(("mug", "sphere")), "objects.count": Integers(1, 3)})
    for _ in range(3000):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 12)))
        text = rng.choice([text, f"occlusion[{text}]=5%", f"objects.0.kind={text}", f"objects.count={text}"])
        tried(lambda text=text: search(text, factors), text)
