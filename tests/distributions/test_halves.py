"""Distributions are split into two that share nothing."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from simworld.assets.catalogue import tags
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.compounds import HSV, Correlated, Mixture
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox, InDisc, InFrustum, OnSurface, Rotation, RotationAbout
from simworld.distributions.univariate import Integers, Normal, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError
from simworld.streams import Streams


def draws(distribution: Distribution, n: int = 4000) -> np.ndarray:
    generator = Streams(0)("test")
    return np.array([distribution(generator) for _ in range(n)])


def largest_gap(samples: np.ndarray, cdf: Callable[[float], float]) -> float:
    """The Kolmogorov-Smirnov statistic, times the square root of the number of samples."""
    n = len(samples)
    values = np.array([cdf(x) for x in np.sort(samples).tolist()])
    return float(np.maximum(values - np.arange(n) / n, np.arange(1, n + 1) / n - values).max() * math.sqrt(n))


LIMIT = math.sqrt(-math.log(1e-4 / 2) / 2)
"""What the largest gap exceeds with a probability of 1e-4."""


def test_halves_are_of_the_simplest_kind() -> None:
    assert Uniform(0, 2).split(0.25) == (Uniform(0, 1.5), Uniform(1.5, 2))
    assert Normal(1, 2).split(0.5) == (TruncatedNormal(1, 2, -math.inf, 1), TruncatedNormal(1, 2, 1, math.inf))
    assert Integers(0, 9).split(0.2) == (Integers(0, 7), Integers(8, 9))
    assert (Uniform(0, 1) * 2 + 1).split(0.5) == (Uniform(0, 0.5) * 2 + 1, Uniform(0.5, 1) * 2 + 1)
    assert HSV().split(0.5) == (HSV(Uniform(0.0, 0.5)), HSV(Uniform(0.5, 1.0)))
    assert HSV(0.2, Uniform(0, 1)).split(0.5)[0] == HSV(0.2, Uniform(0, 0.5))  # type: ignore[arg-type]
    for alone in (Constant(1), Choice(("a",)), Integers(2, 2), Uniform(1, 1), HSV(0.1, 0.2, 0.3)):  # type: ignore[arg-type]
        assert alone.split(0.3) == (alone, alone)


def test_options_are_held_out_whatever_their_order() -> None:
    names = tuple(f"object_{i}" for i in range(20))
    kept, held = Choice(names).split(0.2)
    assert set(kept.support()) | set(held.support()) == set(names)
    assert not set(kept.support()) & set(held.support()) and len(held.support()) == 4
    assert set(Choice(names[::-1]).split(0.2)[1].support()) == set(held.support())
    assert set(held.support()) < set(Choice(names).split(0.4)[1].support())
    kept, held = Choice(("a", "b"), (5, 2)).split(0.01)
    assert {kept.support(), held.support()} == {("a",), ("b",)}
    halves = Tagged(("primitive",)).split(0.3)
    assert sorted(halves[0].support() + halves[1].support()) == sorted(tags()["primitive"])
    mixed = Mixture((Choice(("a", "b")), Choice(("c", "d"))), (1, 2)).split(0.5)
    assert sorted(mixed[0].support() + mixed[1].support()) == ["a", "b", "c", "d"]


def test_two_random_sides_are_not_split() -> None:
    with pytest.raises(ConfigurationError, match="are random; split one of them"):
        (Uniform(0, 1) + Normal(0, 1)).split(0.2)


def test_a_pair_is_split_by_its_first_random_side() -> None:
    distribution = Correlated(1, Normal(0, 1), 0.5), Correlated(Uniform(0, 1), Normal(0, 1), 0.5)
    assert distribution[1].split(0.2) == tuple(Correlated(side, Normal(0, 1), 0.5) for side in Uniform(0, 1).split(0.2))
    assert distribution[0].split(0.2) == tuple(Correlated(1, side, 0.5) for side in Normal(0, 1).split(0.2))


@pytest.mark.parametrize("holdout", [0, 1, -0.1, "half", True, math.nan])
def test_a_wrong_holdout_is_refused(holdout: float) -> None:
    with pytest.raises(ConfigurationError, match="holdout must be"):
        Uniform(0, 1).split(holdout)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TruncatedNormal(0, 0, 0, 1), "std must be greater than 0"),
        (lambda: TruncatedNormal(0, 1, 1, 1), "low less than high"),
        (lambda: TruncatedNormal(0, 1, 50, 60), "never comes between low and high"),
        (lambda: TruncatedNormal(0, 1, math.nan, 60), "finite numbers"),
        (lambda: Choice(("a", "b"), (1,)), "weights must be 2 numbers greater than 0"),
        (lambda: Choice(("a", "b"), (1, 0)), "weights must be 2 numbers greater than 0"),
        (lambda: Choice((Uniform(0, 1),)), "options must be numbers, names or tuples"),  # type: ignore[arg-type]
        (lambda: from_plain({"choice": {"a": "b"}}), "weights must be"),
        (lambda: Tagged(("primitve",)), "no tag 'primitve'; did you mean 'primitive'"),
        (lambda: Tagged(()), "tags must be"),
        (lambda: Mixture(()), "parts must be"),
        (lambda: Mixture((Uniform(0, 1),), (-1,)), "weights must be 1 numbers greater than 0"),
        (lambda: Correlated(Uniform(0, 1), Uniform(0, 1), 1), "correlation must be"),
        (lambda: Correlated(Uniform(0, 1), HSV(), 0), "b must be a distribution of numbers"),
        (lambda: Rotation(2, 1), "low and high must rise"),
        (lambda: RotationAbout((0, 0, 0), Uniform(0, 1)), "axis must not be 0"),
        (lambda: RotationAbout((0, 0), Uniform(0, 1)), "axis must be three finite numbers"),
        (lambda: RotationAbout((0, 0, 1), HSV()), "angle must be a number"),
        (lambda: InBox((0, 0, 1), (1, 1, 0)), "low must be at most high"),
        (lambda: InDisc((0, 0, 0), 0), "radius greater"),
        (lambda: OnSurface((0, 0, 0), (1, 0, 0)), "with an area"),
        (lambda: InFrustum((0, 0, 0), (0, 0, 0), 1, 0, 1), "must differ"),
        (lambda: InFrustum((0, 0, 0), (0, 0, 1), 4, 0, 1), "fov must be between"),
        (lambda: OnSurface((0, 0, 0), (1, 1, 1)).split(0.5), "cannot be split"),
    ],
)
def test_a_refusal_names_the_argument(make: Callable[[], Distribution], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_rotations_are_uniform() -> None:
    quaternions = draws(Rotation(), 5000)
    assert np.linalg.norm(quaternions, axis=1) == pytest.approx(1) and (quaternions[:, 3] >= 0).all()
    x, y, z, w = quaternions.T
    for height in (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)):
        assert largest_gap(height, Uniform(-1, 1).cdf) < LIMIT
    assert largest_gap(2 * np.arccos(w), lambda a: (a - math.sin(a)) / math.pi) < LIMIT
    assert Rotation().density(tuple(quaternions[0].tolist())) == pytest.approx(1 / math.pi**2)
    assert Rotation().density((0.0, 0.0, 0.0, -1.0)) == Rotation().density((0.0, 0.0, 0.5, 1.0)) == 0


def test_halves_of_rotations_are_small_and_large_angles() -> None:
    small, large = Rotation().split(0.2)
    for half, share, offset in ((small, 0.8, 0.0), (large, 0.2, 0.8)):
        angles = 2 * np.arccos(draws(half, 2000)[:, 3])
        assert largest_gap(angles, lambda a, o=offset, s=share: ((a - math.sin(a)) / math.pi - o) / s) < LIMIT
        assert half.density(tuple(draws(half, 1)[0].tolist())) == pytest.approx(1 / math.pi**2 / share)
    assert small.high == large.low  # type: ignore[attr-defined]
    about = RotationAbout((0, 0, 2), Uniform(-1, 1))
    assert about.split(0.5) == (RotationAbout((0, 0, 2), Uniform(-1, 0)), RotationAbout((0, 0, 2), Uniform(0, 1)))


def test_a_rotation_about_an_axis_has_its_angle() -> None:
    about = RotationAbout((0, 3, 0), Uniform(0.5, 1.5))
    x, y, z, w = draws(about, 2000).T
    assert not x.any() and not z.any()
    assert largest_gap(2 * np.arctan2(y, w), Uniform(0.5, 1.5).cdf) < LIMIT
    assert about.density((0.0, math.sin(0.5), 0.0, math.cos(0.5))) == 1
    assert about.density((math.sin(0.5), 0.0, 0.0, math.cos(0.5))) == about.density((0.0, 0.0, 0.0, 1.0)) == 0
    assert RotationAbout((0, 0, 1), Constant(3)).density((0.0, 0.0, math.sin(1.5), math.cos(1.5))) == 1


POSITIONS = [
    InBox((-1, 0, 2), (1, 0.5, 3)),
    InBox((-1, 0, 2), (1, 0.5, 2)),
    InDisc((1, 2, 0.5), 0.3),
    InDisc((1, 2, 0.5), 0.3, 0.1),
    OnSurface((-1, 0, 2), (1, 0.5, 3)),
    InFrustum((1, 1, 1), (0, 0, 0), 0.8, 0.3, 0.9),
    InFrustum((0, 0, 1), (0, 0, 0), 1.2, 0.0, 0.5),
]


MARGINALS = [
    lambda p: (p[:, 0] + 1) / 2,
    lambda p: p[:, 1] / 0.5,
    lambda p: ((p[:, 0] - 1) ** 2 + (p[:, 1] - 2) ** 2) / 0.09,
    lambda p: (((p[:, 0] - 1) ** 2 + (p[:, 1] - 2) ** 2) - 0.01) / 0.08,
    lambda p: p[p[:, 0] == 1][:, 2] - 2,
    lambda p: (((1 - p) @ (np.ones(3) / math.sqrt(3))) ** 3 - 0.3**3) / (0.9**3 - 0.3**3),
    lambda p: (1 - p[:, 2]) ** 3 / 0.5**3,
]


@pytest.mark.parametrize(("distribution", "uniform"), list(zip(POSITIONS, MARGINALS, strict=True)))
def test_positions_are_uniform(distribution: Distribution, uniform: Callable[[np.ndarray], np.ndarray]) -> None:
    positions = draws(distribution, 5000)
    assert largest_gap(uniform(positions), Uniform(0, 1).cdf) < LIMIT
    low, high = distribution.support()
    assert (positions >= np.array(low) - 1e-12).all() and (positions <= np.array(high) + 1e-12).all()
    densities = {round(distribution.density(tuple(p)), 6) for p in positions[:500].tolist()}
    assert len(densities) == 1 and densities.pop() > 0
    assert distribution.density((9.0, 9.0, 9.0)) == distribution.density("here") == 0


def test_the_density_of_positions_is_one_over_their_measure() -> None:
    surface, frustum = POSITIONS[4], POSITIONS[6]
    assert surface.density((1.0, 0.2, 2.5)) == pytest.approx(1 / 7)
    assert [POSITIONS[i].density((0.0, 0.1, 2.0)) for i in (0, 1)] == [1, 1]
    assert POSITIONS[2].density((1.0, 2.0, 0.5)) == pytest.approx(1 / (math.pi * 0.09))
    assert frustum.density((0.0, 0.0, 0.9)) == pytest.approx(3 / (0.5 * (2 * 0.5 * math.tan(0.6)) ** 2))
    faces = draws(surface, 5000)
    assert (faces[:, 2] == 3).mean() == pytest.approx(1 / 7, abs=0.02)


@pytest.mark.parametrize("distribution", [p for p in POSITIONS if not isinstance(p, OnSurface)], ids=str)
def test_halves_of_places_share_nothing(distribution: Distribution) -> None:
    halves = distribution.split(0.2)
    points = [tuple(p) for p in draws(distribution, 2000).tolist()]
    inside = np.array([[half.density(p) > 0 for half in halves] for p in points])
    assert (inside.sum(axis=1) == 1).all()
    assert inside.mean(axis=0) == pytest.approx([0.8, 0.2], abs=0.035)
    whole = distribution.density(points[0])
    assert whole == pytest.approx([0.8, 0.2][int(inside[0, 1])] * max(h.density(points[0]) for h in halves))
