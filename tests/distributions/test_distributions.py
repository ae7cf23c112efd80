"""Distributions are values with the statistics they name."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate

from simworld.distributions.arithmetic import from_plain
from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.compounds import HSV, Correlated, Mixture
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox, InDisc, InFrustum, OnSurface, Rotation, RotationAbout
from simworld.distributions.univariate import Integers, LogUniform, Normal, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError
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
    TruncatedNormal(0, 1.5, -math.inf, 2),
    Choice(("b", "a"), (2, 1.5)),
    Choice(((0.0, 0.0, 0.0), "no word"), (1, 2)),
    Tagged(("rolling", "mesh")),
    Mixture((Uniform(0, 1), Normal(3, 1))),
    Mixture((Uniform(0, 1) * 2, HSV()), (3, 1)),
    Correlated(Uniform(0, 1), Normal(0, 1) + 2, -0.4),
    Dealt((("a", 1), "b", (0.1, 0.2, 0.3)), 1, "cards"),
    Rotation(),
    Rotation(0.25, 1),
    RotationAbout((0, 0, 2), Uniform(-1, 1)),
    InBox((0, 0, 0), (1, 2, 0)),
    InDisc((0, 0, 0.1), 0.2),
    OnSurface((0, 0, 0), (1, 2, 3)),
    InFrustum((1, 1, 1), (0, 0, 0), 0.8, 0.1, 0.9),
]


@pytest.mark.parametrize("distribution", EVERY, ids=repr)
def test_plain_data_comes_back_equal(distribution: Distribution) -> None:
    again = from_plain(json.loads(json.dumps(distribution.to_plain())))
    assert again == distribution and hash(again) == hash(distribution)
    assert again(Streams(0)("x")) == distribution(Streams(0)("x"))


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


def largest_gap(samples: np.ndarray, cdf: Callable[[float], float]) -> float:
    """The Kolmogorov-Smirnov statistic, times the square root of the number of samples."""
    n = len(samples)
    values = np.array([cdf(x) for x in np.sort(samples).tolist()])
    return float(np.maximum(values - np.arange(n) / n, np.arange(1, n + 1) / n - values).max() * math.sqrt(n))


LIMIT = math.sqrt(-math.log(1e-4 / 2) / 2)
"""What the largest gap exceeds with a probability of 1e-4."""


EXACT = [
    Uniform(-1, 2.5),
    LogUniform(0.1, 2),
    Normal(1, 2),
    TruncatedNormal(0, 1, -0.5, 2),
    TruncatedNormal(1, 2, 17, math.inf),
    TruncatedNormal(0, 1, -math.inf, -30),
    3 - 2 * Uniform(0, 1),
    1 / Uniform(1, 2),
    2 / (LogUniform(0.5, 2) * -1),
    -3 / Uniform(1, 2),
    Normal(0, 1) / -4,
    Mixture((Uniform(0, 1), Normal(3, 1)), (1, 3)),
    2 * Mixture((Uniform(0, 1), Uniform(2, 3))) - 1,
]


MEANS = [
    Uniform(0, 1) + Uniform(0, 1),
    Normal(0, 1) * Uniform(1, 2),
    Normal(0, 1) / Uniform(1, 2),
    Uniform(1, 2) / Uniform(-3, -1),
    LogUniform(0.1, 1) - Normal(0, 1),
    Choice((1, 2)) * Uniform(0, 1),
    Integers(0, 2) - Normal(0, 0.4),
]


@pytest.mark.parametrize("distribution", EXACT + MEANS, ids=str)
def test_draws_follow_the_cdf(distribution: Distribution) -> None:
    samples = draws(distribution, 5000)
    grid = np.quantile(samples, np.linspace(0, 1, 101)).tolist()  # the means take their time
    values = [distribution.cdf(x) for x in grid]
    between = (lambda x: float(np.interp(x, grid, values))) if distribution in MEANS else distribution.cdf
    assert largest_gap(samples, between) < LIMIT


def test_the_gap_shows_a_wrong_cdf() -> None:
    assert largest_gap(draws(Normal(0.1, 1), 5000), Normal(0, 1).cdf) > LIMIT


@pytest.mark.parametrize("distribution", EXACT + MEANS, ids=str)
def test_the_density_is_the_slope_of_the_cdf(distribution: Distribution) -> None:
    ends = [distribution.quantile(p) for p in (0.0005, 0.1, 0.5, 0.9, 0.9995)]
    tolerance = 4e-3 if distribution in MEANS else 2e-4
    for low, high in zip(ends[:-1], ends[1:], strict=True):
        integral, _ = integrate.quad(distribution.density, low, high, epsabs=tolerance / 4, limit=200)
        assert integral == pytest.approx(distribution.cdf(high) - distribution.cdf(low), abs=tolerance)


@pytest.mark.parametrize("distribution", EXACT + MEANS, ids=str)
def test_the_quantile_inverts_the_cdf(distribution: Distribution) -> None:
    for p in (0.001, 0.3, 0.77, 0.999) if distribution in EXACT else (0.3,):
        assert distribution.cdf(distribution.quantile(p)) == pytest.approx(p, abs=1e-9)
    low, high = min(distribution.support()), max(distribution.support())
    assert distribution.quantile(0) == pytest.approx(low) and distribution.quantile(1) == pytest.approx(high)
    outside = [value for value in (low - 1, high + 1) if math.isfinite(value)]
    assert [distribution.density(value) for value in outside] == [0.0] * len(outside)
    assert distribution.density("mug") == 0


def test_a_far_tail_is_exact() -> None:
    # Mills' ratio: P(Z > 30.1) / P(Z > 30), by its continued fraction (Abramowitz and Stegun 26.2.14).
    def mills(z: float) -> float:
        fraction = z
        for k in range(200, 0, -1):
            fraction = z + k / fraction
        return 1 / fraction

    ratio = mills(30.1) / mills(30) * math.exp((30**2 - 30.1**2) / 2)
    assert 1 - TruncatedNormal(0, 1, 30, math.inf).cdf(30.1) == pytest.approx(ratio, rel=1e-9)
    assert TruncatedNormal(0, 1, 30, math.inf).density(30) == pytest.approx(1 / mills(30), rel=1e-9)
    assert TruncatedNormal(5, 1, -math.inf, -25).cdf(-25.1) == pytest.approx(ratio, rel=1e-9)


def test_sums_have_their_closed_forms() -> None:
    triangle = Uniform(0, 1) + Uniform(0, 1)
    assert [triangle.cdf(x) for x in (-1, 0.5, 1, 1.5, 3)] == pytest.approx([0, 0.125, 0.5, 0.875, 1], abs=1e-3)
    assert [triangle.density(x) for x in (-1, 0.5, 1, 1.5, 3)] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=2e-3)
    assert (Normal(1, 3) - Normal(0, 4)).cdf(6) == pytest.approx(Normal(1, 5).cdf(6), abs=1e-3)


DISCRETE = [
    Integers(-1, 3),
    Choice(("a", "b", "c"), (1, 2, 3)),
    Tagged(("rolling", "primitive")),
    Choice((1, 2, 2)),
    0.1 * Integers(1, 7),
    3 - Choice((1, 2.5), (1, 3)),
    6 / Choice((1, 2, 3)),
    Mixture((Integers(0, 2), Choice((2, 5)), Constant(7)), (2, 1, 1)),
    Integers(1, 6) + Integers(1, 6),
    Choice((0, 1)) * Integers(1, 3),
]


@pytest.mark.parametrize("distribution", DISCRETE, ids=str)
def test_frequencies_are_the_probabilities(distribution: Distribution) -> None:
    values = [distribution(generator) for generator in [Streams(0)("test")] for _ in range(5000)]
    options = sorted(set(values))
    expected = np.array([distribution.density(option) for option in options]) * len(values)
    assert expected.sum() == pytest.approx(len(values), rel=2e-3)
    chi_square = (([values.count(option) for option in options] - expected) ** 2 / expected).sum()
    freedom = len(options) - 1
    # Wilson and Hilferty (1931), at a probability of 1e-4.
    assert chi_square < freedom * (1 - 2 / (9 * freedom) + 3.719 * math.sqrt(2 / (9 * freedom))) ** 3
    assert distribution.density("none of them") == 0


@pytest.mark.parametrize("distribution", [d for d in DISCRETE if not isinstance(d.support()[0], str)], ids=str)
def test_a_discrete_cdf_sums_the_probabilities(distribution: Distribution) -> None:
    options, total = sorted(set(draws(distribution, 2000).tolist())), 0.0
    for option in options:
        assert distribution.cdf(option - 1e-6) == pytest.approx(total, abs=2e-3)
        total += distribution.density(option)
        assert distribution.cdf(option) == pytest.approx(total, abs=2e-3)
        assert distribution.quantile(distribution.cdf(option) - 1e-6) == pytest.approx(option)
    assert total == pytest.approx(1, abs=2e-3)


def test_what_has_no_cdf_says_so() -> None:
    for distribution in (Rotation(), HSV(), Constant("a"), Choice(("a", 1)), Tagged(("flat",)), Mixture((HSV(),))):
        for ask in (distribution.cdf, distribution.quantile):
            with pytest.raises(ConfigurationError, match="no .*cdf"):
                ask(0.5)
    with pytest.raises(ConfigurationError, match="no density"):
        Mixture((Uniform(0, 1), Constant(0))).density(0)
    with pytest.raises(ConfigurationError, match="probability must be from 0 to 1, got 1.5"):
        Uniform(0, 1).quantile(1.5)


def test_a_spike_and_a_slab_have_a_cdf() -> None:
    mixed = Mixture((Uniform(0, 1), Constant(0.5)))
    assert [mixed.cdf(x) for x in (0.25, 0.499999, 0.5, 1)] == pytest.approx([0.125, 0.25, 0.75, 1], abs=1e-5)
    assert (mixed.quantile(0.5), mixed.quantile(0.875)) == (0.5, pytest.approx(0.75))


def test_the_density_of_a_colour_is_that_of_its_parts() -> None:
    colour = HSV(hue=Uniform(0, 0.5), saturation=Uniform(0.5, 1), value=Constant(1))
    assert [colour.density(tuple(value)) for value in draws(colour, 200).tolist()] == pytest.approx([4] * 200)
    assert colour.density((0.5, 0.5, 0.5)) == colour.density((0.5, 0.0, 1.0)) == colour.density("red") == 0
    red = HSV(1, Choice((0.5, 1)), 1)  # type: ignore[arg-type]
    assert red.density((1.0, 0.0, 0.0)) == red.density((1.0, 0.5, 0.5)) == 0.5
    assert HSV(0.3, 0, 0.2).density((0.2, 0.2, 0.2)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.5])
def test_correlated_numbers_have_their_marginals_and_correlation(correlation: float) -> None:
    pair = Correlated(Normal(1, 2), LogUniform(0.1, 1), correlation)
    a, b = draws(pair, 5000).T
    assert largest_gap(a, Normal(1, 2).cdf) < LIMIT and largest_gap(b, LogUniform(0.1, 1).cdf) < LIMIT
    ranks = np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1]
    assert ranks == pytest.approx(6 / math.pi * math.asin(correlation / 2), abs=0.05)
    normals = draws(Correlated(Normal(0, 1), Normal(0, 3), correlation), 5000)
    assert np.corrcoef(normals.T)[0, 1] == pytest.approx(correlation, abs=0.05)


def test_the_density_of_a_correlated_pair_is_that_of_two_normal_numbers() -> None:
    r, x, y = 0.6, 0.3, -1.2
    exact = math.exp(-(x * x - 2 * r * x * y + y * y) / (2 * (1 - r * r))) / (2 * math.pi * math.sqrt(1 - r * r))
    assert Correlated(Normal(0, 1), Normal(0, 1), r).density((x, y)) == pytest.approx(exact)
    grid = (np.arange(100) + 0.5) / 100
    pair = Correlated(Uniform(0, 1), Uniform(0, 1), -0.5)
    assert np.mean([pair.density((u, v)) for u in grid.tolist() for v in grid.tolist()]) == pytest.approx(1, abs=0.01)
    assert pair.density((0.5, 1.5)) == pair.density(0.5) == 0


SPLIT = [d for d in EXACT if not isinstance(d, Mixture)] + [Integers(1, 10), 0.1 * Integers(0, 9), EXACT[-2]]


@pytest.mark.parametrize("holdout", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("distribution", SPLIT, ids=str)
def test_halves_share_nothing_and_cover_everything(distribution: Distribution, holdout: float) -> None:
    halves = distribution.split(holdout)
    for half, share in zip(halves, (1 - holdout, holdout), strict=True):
        low, high = (half.quantile(p) for p in (0, 1))
        slack = 0 if half.continuous else 1e-6
        assert distribution.cdf(high) - distribution.cdf(low - slack) == pytest.approx(share, abs=1e-6)
        values = draws(half, 1000)
        assert low <= values.min() and values.max() <= high
        if half.continuous:
            assert half.density(values[0]) * share == pytest.approx(distribution.density(values[0]), rel=1e-4)
    first, second = sorted((half.quantile(0), half.quantile(1)) for half in halves)
    assert first[1] <= second[0] and (first[1] < second[0] or halves[0].continuous)
    assert (first[0], second[1]) == pytest.approx((distribution.quantile(0), distribution.quantile(1)))
