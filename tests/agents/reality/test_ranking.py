"""Ranks of policies in two worlds."""

import pytest
from scipy import stats

from simworld.agents.reality.ranking import mean_maximum_rank_violation, pearson


def test_what_a_wrong_order_costs_is_how_far_apart_those_are_in_reality() -> None:
    assert mean_maximum_rank_violation([0.1, 0.5, 0.9], [0.2, 0.3, 0.4]) == 0.0
    # The second and third are in the wrong order, and 0.1 apart; the first is in its place.
    assert mean_maximum_rank_violation([0.1, 0.9, 0.5], [0.2, 0.3, 0.4]) == pytest.approx(0.2 / 3)
    assert mean_maximum_rank_violation([0.9, 0.5, 0.1], [0.0, 0.3, 1.0]) == pytest.approx((1.0 + 0.7 + 1.0) / 3)
    assert mean_maximum_rank_violation([0.5, 0.5], [0.0, 0.4]) == pytest.approx(0.2), "what is alike is in no order"


def test_the_correlation_is_pearsons() -> None:
    ours, true = [0.1, 0.4, 0.35, 0.8], [0.2, 0.3, 0.5, 0.6]
    assert pearson(ours, true) == pytest.approx(stats.pearsonr(ours, true).statistic)
    assert pearson([0.5, 0.5], [0.1, 0.2]) is None
