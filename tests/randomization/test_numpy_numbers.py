"""NumPy's numbers and arrays are numbers and tuples wherever a randomization takes some."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simworld.building.entities import Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV, Correlated, Mixture
from simworld.distributions.geometric import InBox, InDisc, RotationAbout
from simworld.distributions.univariate import Integers, LogUniform, Normal, TruncatedNormal, Uniform
from simworld.randomization.curriculum import AutomaticRandomization, Schedule, Span
from simworld.randomization.presets import DEFAULT
from simworld.randomization.quotas.cells import Cell, Interval
from simworld.randomization.quotas.quota import Quota, read_quotas
from simworld.randomization.randomization import Randomization

f, i = np.float32, np.int64
SPACE = SceneSpec(entities=(Table(), Prop("object"))).space

SAME: dict[str, Callable[[Any, Any, Any], Any]] = {
    "uniform": lambda f, i, a: Uniform(f(0.5), i(1)),
    "log-uniform": lambda f, i, a: LogUniform(low=f(0.5), high=i(1)),
    "normal": lambda f, i, a: Normal(i(0), f(0.5)),
    "truncated normal": lambda f, i, a: TruncatedNormal(i(0), f(0.5), f(-0.5), i(1)),
    "integers": lambda f, i, a: Integers(i(1), i(3)),
    "choice": lambda f, i, a: Choice(a([1, 2]), a([0.25, 0.75])),
    "choice of tuples": lambda f, i, a: Choice((a([0.5, 1.0, 0.25]), (f(0.5), i(1), 0.25))),
    "colour": lambda f, i, a: HSV(f(0.5), Uniform(f(0.25), i(1)), i(1)),
    "mixture": lambda f, i, a: Mixture((f(0.5), Uniform(i(1), i(2))), a([1, 3])),
    "correlated": lambda f, i, a: Correlated(Uniform(0, i(1)), Normal(0, i(1)), f(0.5)),
    "box": lambda f, i, a: InBox(a([0.0, 0.5, 1.0]), (f(0.5), i(1), i(2))),
    "disc": lambda f, i, a: InDisc(a([0.0, 0.5, 1.0]), f(0.5)),
    "turn": lambda f, i, a: RotationAbout(a([0.0, 0.0, 1.0]), Uniform(f(-0.5), f(0.5))),
    "times": lambda f, i, a: f(0.5) * Uniform(0, 1) + i(2),
    "randomization": lambda f, i, a: Randomization(
        {"objects.*.mass": f(0.5), "objects.count": i(2), "gravity": {"uniform": a([9.0, 9.5])}}
    ),
    "split": lambda f, i, a: DEFAULT.split(f(0.25)),
    "parameters": lambda f, i, a: SPACE.checked({"gravity": f(9.5), "objects.0.color": a([0.5, 0.25, 1.0])}),
    "span": lambda f, i, a: Span(f(0.5), a([0.25, 1.0]), f(0.125)),
    "schedule": lambda f, i, a: Schedule({"gravity": [(f(0.0), (f(9.5), i(10)))]}).at(f(0.5)),
    "cell": lambda f, i, a: Cell(i(2), f(0.5)),
    "interval": lambda f, i, a: Interval(f(0.5), i(1)),
    "quota": lambda f, i, a: read_quotas({"dropped": f(0.25), "length": {"[10,20]": i(3)}}),
    "quota of cells": lambda f, i, a: Quota("length", (Cell(Interval(i(10), f(20.5)), i(3)),)),
}


@pytest.mark.parametrize("case", SAME)
def test_numpys_numbers_make_the_same_value(case: str) -> None:
    make = SAME[case]
    assert make(np.float32, np.int64, np.array) == make(float, int, list), case
    assert repr(make(np.float64, np.int32, np.array)) == repr(make(float, int, tuple))


def test_what_they_make_is_json() -> None:
    whole = Randomization({"objects.*.mass": Uniform(np.float32(0.25), np.float64(0.5)), "gravity": np.float16(9.5)})
    assert json.loads(json.dumps(whole.to_plain())) == {"objects.*.mass": {"uniform": [0.25, 0.5]}, "gravity": 9.5}


def test_a_curriculum_takes_them() -> None:
    spans = {"gravity": Span(np.float32(9.5), (9.0, 10.0), np.float32(0.25))}
    adr = AutomaticRandomization(spans, thresholds=(np.float32(0.25), 0.75), buffer=np.int64(2), seed=np.int64(3))
    trial = adr.draw(np.int64(0))  # type: ignore[arg-type]
    adr.tell(trial, np.float32(1.0))  # type: ignore[arg-type]
    assert trial == AutomaticRandomization({"gravity": Span(9.5, (9.0, 10.0), 0.25)}, seed=3).draw(0)
