"""Splits by group: whole, near to their shares, the same whatever the order."""

import numpy as np
import pytest

from simworld.datasets import split_groups
from simworld.errors import ConfigurationError

SHARES = {"train": 0.7, "val": 0.2, "test": 0.1}


def test_a_group_is_never_divided_and_parts_have_their_shares() -> None:
    groups = [f"7/{number // 3}" for number in range(300)]
    parts = split_groups(groups, SHARES)
    assert list(parts) == list(SHARES) and sorted(sum(parts.values(), [])) == list(range(300))
    assert [len(part) for part in parts.values()] == pytest.approx([210, 60, 30], abs=3)
    sets = [{groups[i] for i in part} for part in parts.values()]
    assert sum(map(len, sets)) == len(set().union(*sets)) == 100
    # Not the first ones into the first part.
    assert np.mean(parts["train"]) == pytest.approx(150, abs=25)


def test_neither_order_nor_what_is_there_besides_matters_much() -> None:
    groups = [f"7/{number}" for number in range(200)]
    order = np.random.default_rng(0).permutation(200)
    parts, shuffled = split_groups(groups, SHARES), split_groups([groups[i] for i in order], SHARES)
    assert {name: {groups[i] for i in part} for name, part in parts.items()} == {
        name: {groups[order[i]] for i in part} for name, part in shuffled.items()
    }


@pytest.mark.parametrize(
    ("groups", "shares", "message"),
    [
        (["a", "b"], {"train": 0.8, "test": 0.3}, "add up to 1"),
        (["a", "b"], {"train": 1.2, "test": -0.2}, "must be above 0"),
        (["a", "b"], {}, "add up to 1"),
        (["a", "a"], {"train": 0.5, "test": 0.5}, "1 groups cannot be split into 2 parts"),
    ],
)
def test_what_cannot_be_split_is_refused(groups: list[str], shares: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        split_groups(groups, shares)
