"""Distributions are values with the statistics they name."""

import numpy as np
import pytest

from simworld.errors import ConfigurationError
from simworld.randomization import HSV, Choice, Constant, Distribution, Integers, LogUniform, Normal, Uniform
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
    assert (6 / Constant(2))(Streams(0)("x")) if hasattr(Constant, "__rtruediv__") else True
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


@pytest.mark.parametrize(
    "make",
    [
        lambda: Uniform(2, 1),
        lambda: Uniform(0, float("inf")),
        lambda: LogUniform(0, 1),
        lambda: Normal(0, -1),
        lambda: Choice(()),
        lambda: Integers(3, 2),
    ],
)
def test_impossible_ones_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]
