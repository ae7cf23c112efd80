"""What a factor may be is divided into cells, again and again, and drawn with other shares of them."""

import numpy as np
import pytest

from simworld.building.factor import Factor, whole
from simworld.distributions.compounds import Mixture
from simworld.distributions.cutting import can_be_cut, cut
from simworld.distributions.univariate import Integers, Uniform
from simworld.randomization.factor_cells import divided

FACTOR: Factor = whole(0, 0, 10_000, "a number")


def test_many_whole_numbers_are_divided_and_so_is_what_is_drawn_of_them() -> None:
    (first,) = divided(Integers(0, 99), FACTOR).values()
    assert first.names == ("[0, 24]", "[25, 49]", "[50, 74]", "[75, 99]") and first.shares == (0.25,) * 4
    drawn = first.drawn(Integers(0, 99), (0.125, 0.125, 0.25, 0.5))
    (second,) = divided(drawn, FACTOR).values()
    assert second.names == ("[0, 49]", "[50, 74]", "[75, 87]", "[88, 99]")
    assert second.shares == pytest.approx((0.25, 0.25, 0.26, 0.24)) and sum(second.shares) == pytest.approx(1)
    again = second.drawn(drawn, second.shares)
    assert [again.density(k) for k in range(-1, 101)] == pytest.approx([drawn.density(k) for k in range(-1, 101)])
    (third,) = divided(again, FACTOR).values()
    assert third.names == second.names
    generator = np.random.default_rng(0)
    values = [again(generator) for _ in range(400)]
    assert all(type(value) is int for value in values)
    shares = np.bincount([second.where(value) for value in values], minlength=4) / len(values)
    np.testing.assert_allclose(shares, second.shares, atol=0.07)


def test_a_mixture_of_whole_numbers_is_cut_with_both_ends() -> None:
    nested = Mixture((Integers(0, 9), Mixture((Integers(5, 14), Integers(20, 20)))), (1.0, 3.0))
    assert can_be_cut(nested) and not can_be_cut(Mixture((Integers(0, 9), Uniform(0.0, 1.0))))
    for low, high in ((0, 20), (5, 9), (4.5, 9.5), (9, 9), (-np.inf, np.inf), (12, 99)):
        inside = [k for k in range(21) if low <= k <= high]
        found = cut(nested, low, high)
        assert found is not None and found[1] == pytest.approx(sum(map(nested.density, inside)))
        own = [found[0].density(k) * found[1] for k in range(21)]
        assert own == pytest.approx([nested.density(k) * (k in inside) for k in range(21)])
    assert cut(nested, 15, 19) is None
