"""Distributions are values with the statistics they name."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from simworld.errors import ConfigurationError
from simworld.randomization import (
    HSV,
    Choice,
    Constant,
    Distribution,
    Integers,
    LogUniform,
    Normal,
    Uniform,
    from_plain,
)
from simworld.streams import Streams


def draws(distribution: Distribution, n: int = 4000) -> np.ndarray:
    generator = Streams(0)("test")
    return np.array([distribution(generator) for _ in range(n)])


def test_moments() -> None:
    assert draws(Uniform(2, 4)).mean() == pytest.approx(3, abs=0.03)
    assert np.log(draws(LogUniform(0.1, 10))).mean() == pytest.approx(0, abs=0.08)
    normal = draws(Normal(1, 2))
    assert (normal.mean(), normal.std()) == (pytest.approx(1, abs=0.1), pytest.approx(2, abs=0.1))
    assert set(draws(Integers(1, 3))) == {1, 2, 3}
    counts = [(draws(Choice(("a", "b"))) == name).mean() for name in "ab"]
    assert counts == [pytest.approx(0.5, abs=0.03)] * 2


def test_arithmetic_follows_the_draws() -> None:
    assert Constant(3)(Streams(0)("x")) == 3
    assert (2 * Uniform(1, 1) + 1 - 0.5)(Streams(0)("x")) == 2.5
    assert (6 / Constant(2))(Streams(0)("x")) == 3
    assert (2 - Constant(3))(Streams(0)("x")) == -1
    combined = draws(Uniform(0, 1) + Uniform(0, 1))
    assert combined.mean() == pytest.approx(1, abs=0.03)
    assert combined.std() == pytest.approx(np.sqrt(1 / 6), abs=0.02)


def test_they_are_values() -> None:
    assert Uniform(0, 1) == Uniform(0, 1) != Uniform(0, 2)
    assert Uniform(0, 1) * 2 == Uniform(0, 1) * 2
    assert repr(Uniform(0, 1) + 1) == "(Uniform(low=0, high=1) + Constant(value=1))"
    assert eval(repr(LogUniform(0.1, 2) * 3)) == LogUniform(0.1, 2) * 3
    assert {Uniform(0, 1), Uniform(0, 1)} == {Uniform(0, 1)}


def test_colours_stay_in_their_cube() -> None:
    colors = draws(HSV(), 500)
    assert colors.shape == (500, 3)
    assert ((colors >= 0) & (colors <= 1)).all()


EVERY = [
    Constant(0.5),
    Constant("mug"),
    Constant((0.1, 0.2, 0.3)),
    Uniform(-1, 2.5),
    LogUniform(0.1, 2),
    Normal(1, 2),
    Integers(1, 3),
    Choice(("a", "b")),
    Choice(((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))),
    HSV(saturation=Uniform(0.2, 0.4), value=Constant(1)),
    2 / (Uniform(1, 2) + 3 * Choice((1, 2))) - Integers(-1, 1),
]


@pytest.mark.parametrize("distribution", EVERY, ids=repr)
def test_plain_data_comes_back_equal(distribution: Distribution) -> None:
    again = from_plain(json.loads(json.dumps(distribution.to_plain())))
    assert again == distribution and hash(again) == hash(distribution)
    assert np.array_equal(draws(again, 5), draws(distribution, 5))


def test_plain_data_is_what_one_would_write() -> None:
    assert from_plain({"uniform": [0, 1]}) == Uniform(0, 1)
    assert from_plain({"choice": ["mug", "duck"]}) == Choice(("mug", "duck"))
    assert from_plain({"+": [{"normal": [0, 1]}, 2]}) == Normal(0, 1) + 2
    assert from_plain([0.1, 0.2, 0.3]) == from_plain(np.array([0.1, 0.2, 0.3])) == Constant((0.1, 0.2, 0.3))
    assert from_plain(np.int64(2)).to_plain() == 2
    assert HSV(0.1, 0.2, 0.3) == HSV(Constant(0.1), Constant(0.2), Constant(0.3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("distribution", "support"),
    [
        (Uniform(1, 2) * Uniform(-3, 4), (-6, 8)),
        (1 - Uniform(0.25, 0.5), (0.5, 0.75)),
        (6 / Choice((1, 2, 3)), (2, 6)),
        (Normal(0, 1) + 1, (-math.inf, math.inf)),
        (Integers(1, 2) + 1, (2, 3)),
    ],
    ids=repr,
)
def test_support_of_combinations(distribution: Distribution, support: tuple[float, float]) -> None:
    assert distribution.support() == support
    assert support[0] <= draws(distribution, 500).min() and draws(distribution, 500).max() <= support[1]


def test_a_log_uniform_never_leaves_its_range() -> None:
    assert set(draws(LogUniform(10, 10), 5)) == {10}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(2, 1),
        lambda: Uniform(0, float("inf")),
        lambda: LogUniform(0, 1),
        lambda: Normal(0, -1),
        lambda: Choice(()),
        lambda: Choice("ab"),  # type: ignore[arg-type]
        lambda: Integers(3, 2),
        lambda: Integers(1.5, 2),  # type: ignore[arg-type]
        lambda: Uniform("a", "b"),  # type: ignore[arg-type]
        lambda: Normal(True, 1),
        lambda: HSV(hue=Uniform(0, 2)),
        lambda: Constant("a") + 1,
        lambda: HSV() * 2,
        lambda: 1 / Uniform(-1, 1),
        lambda: from_plain({"unifrom": [0, 1]}),
        lambda: from_plain({"uniform": [0, 1], "normal": [0, 1]}),
        lambda: from_plain({"uniform": [0]}),
        lambda: from_plain({"uniform": 3}),
        lambda: from_plain({}),
    ],
)
def test_impossible_ones_are_refused(make: Callable[[], Distribution]) -> None:
    with pytest.raises(ConfigurationError):
        make()
