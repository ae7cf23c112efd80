"""Splits by group: whole, near to their shares, the same whatever the order."""

from typing import Any

import numpy as np
import pytest

from simworld.datasets.splits import split_groups
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


def by_group(groups: list[str], shares: dict[str, float]) -> dict[str, set[str]]:
    return {name: {groups[i] for i in part} for name, part in split_groups(groups, shares).items()}


@pytest.mark.parametrize("sizes", [[1] * 200, [*range(1, 30)], [20, *[1] * 20], [5, 5, 5, 1, 1, 8]])
def test_neither_the_order_of_samples_nor_that_of_parts_matters(sizes: list[int]) -> None:
    groups = [f"7/{number}" for number, size in enumerate(sizes) for _ in range(size)]
    order = np.random.default_rng(0).permutation(len(groups))
    expected = by_group(groups, SHARES)
    assert by_group([groups[i] for i in order], SHARES) == expected
    assert by_group(groups, dict(reversed(SHARES.items()))) == expected
    assert by_group([groups[i] for i in order], {name: SHARES[name] for name in ("val", "train", "test")}) == expected


@pytest.mark.parametrize(
    ("sizes", "shares", "expected"),
    [
        ([20, *[1] * 20], {"train": 0.8, "test": 0.2}, [32, 8]),
        ([1, 1, 8], {"train": 0.8, "test": 0.2}, [8, 2]),
        ([1, 1, 8], {"test": 0.2, "train": 0.8}, [2, 8]),
        ([1, 1, 1], {"train": 0.98, "val": 0.01, "test": 0.01}, [1, 1, 1]),
        ([10, 3, 2], {"train": 0.5, "val": 0.25, "test": 0.25}, [10, 3, 2]),
        ([*range(1, 21)], {"train": 0.7, "test": 0.3}, [147, 63]),
        ([7, 7, 7, 7, 1, 1], {"a": 0.5, "b": 0.5}, [15, 15]),
    ],
)
def test_groups_of_unequal_sizes_are_split_near_to_the_shares(
    sizes: list[int], shares: dict[str, float], expected: list[int]
) -> None:
    parts = split_groups([number for number, size in enumerate(sizes) for _ in range(size)], shares)
    assert list(parts) == list(shares)
    assert sorted(map(len, parts.values())) == sorted(expected)
    assert [len(part) for part in parts.values()] == expected or len(set(shares.values())) < len(shares)


@pytest.mark.parametrize(
    ("groups", "shares", "message"),
    [
        (["a", "b"], {"train": 0.8, "test": 0.3}, "add up to 1"),
        (["a", "b"], {"train": 1.2, "test": -0.2}, "numbers above 0"),
        (["a", "b"], {"train": float("nan"), "test": 0.5}, "numbers above 0"),
        (["a", "b"], {"train": "0.5", "test": 0.5}, "numbers above 0"),
        (["a", "b"], {"train": True}, "numbers above 0"),
        (["a", "b"], {0: 0.5, "test": 0.5}, "names of parts"),
        (["a", "b"], [0.5, 0.5], "names of parts"),
        (["a", "b"], "train", "names of parts"),
        (["a", "b"], None, "names of parts"),
        ([["a"], ["b"]], {"train": 0.5, "test": 0.5}, "groups: must be one name"),
        (None, {"train": 0.5, "test": 0.5}, "groups: must be one name"),
        (["a", "b"], {}, "add up to 1"),
        (["a", "a"], {"train": 0.5, "test": 0.5}, "1 groups cannot be split into 2 parts"),
    ],
)
def test_what_cannot_be_split_is_refused(groups: Any, shares: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        split_groups(groups, shares)
