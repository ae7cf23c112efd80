"""Tests of how spaces are described."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from simworld.datasets.store.spaces import describe_space

INF = float("inf")


@pytest.mark.parametrize(
    ("low", "told"),
    [
        (np.zeros((2, 3)), 0.0),
        (np.full((2, 3), -INF), None),
        (np.array([-1.0, -INF]), [-1.0, None]),
        (np.array([[-1.0, -2.0], [-3.0, -4.0]]), [[-1.0, -2.0], [-3.0, -4.0]]),
        (np.zeros((0, 3)), 0.0),
        (np.array(-2.0), -2.0),
    ],
)
def test_bounds_are_one_number_where_all_are_alike(low: Any, told: Any) -> None:
    space = describe_space(spaces.Box(low, np.full(low.shape, INF), dtype=np.float64))
    assert space == {"type": "Box", "dtype": "float64", "shape": list(low.shape), "low": told} | {
        "high": None if low.size else 0.0
    }
    assert type(space["low"]) is type(told)


def test_pixels_are_whole_numbers() -> None:
    space = describe_space(spaces.Box(0, 255, (4, 4, 3), np.uint8))
    assert (space["low"], space["high"]) == (0, 255) and isinstance(space["high"], int)
