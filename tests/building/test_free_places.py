"""Places are those that trying one after the other finds."""

import math
from itertools import pairwise

import numpy as np
import pytest

from simworld.building.free_places import RESTART, distance_to_box, find_free
from simworld.geometry import Array

BETWEEN, OF_FIRST, OF_BOX = 0.01, 0.06, 0.08
RULES = np.array([-0.5, 0.5, -0.4, 0.4, OF_FIRST, BETWEEN, OF_BOX])
BOXES = np.array([[0.2, 0.1, math.cos(0.3), math.sin(0.3), 0.1, 0.07]])
Discs = list[tuple[float, float, float]]


def one_by_one(values: Array, things: list[Discs], tries: int) -> tuple[list[tuple[float, float]], list[int]]:
    """The places that are found, and how many were tried of each thing."""
    places: list[tuple[float, float]] = []
    drawn = [0] * len(things)
    for t in range(tries):
        if len(places) == len(things):
            break
        thing = len(places)
        x, y = values[thing, :, drawn[thing]]
        drawn[thing] += 1
        if is_free(x, y, things, places):
            places.append((x, y))
        elif t % RESTART == RESTART - 1:
            places.clear()
    return places, drawn


def is_free(x: float, y: float, things: list[Discs], places: list[tuple[float, float]]) -> bool:
    for dx, dy, radius in things[len(places)]:
        if not (abs(x + dx) + radius <= 0.5 and abs(y + dy) + radius <= 0.4):
            return False
        if distance_to_box(x + dx, y + dy, *BOXES[0].tolist()) < radius + OF_BOX:
            return False
        for i, (px, py) in enumerate(places):
            for ox, oy, other in things[i]:
                apart = math.hypot(x + dx - px - ox, y + dy - py - oy)
                if apart < radius + other + (BETWEEN if i else OF_FIRST):
                    return False
    return True


@pytest.mark.parametrize(("count", "outcome"), [(1, {True}), (7, {True, False}), (12, {False})])
def test_places_are_those_that_trying_one_by_one_finds(count: int, outcome: set[bool]) -> None:
    generator = np.random.default_rng(count)
    outcomes = set()
    for _ in range(20):
        things = [
            [(*generator.uniform(-0.1, 0.1, 2).tolist(), generator.uniform(0.02, 0.1)) for _ in range(k % 3 + 1)]
            for k in range(count)
        ]
        values = generator.uniform(-0.5, 0.5, (count, 2, 400))
        first = np.cumsum([0, *map(len, things)])
        discs = np.array([disc for thing in things for disc in thing])
        drawn, places = np.zeros(count, dtype=np.int64), np.zeros((count, 2))
        placed, most, lacks = find_free(values, drawn, discs, first, BOXES, RULES, 400, places)
        expected, tried = one_by_one(values, things, 400)
        assert not lacks and placed <= most
        assert drawn.tolist() == tried
        assert places[:placed].tolist() == [list(place) for place in expected]
        outcomes.add(placed == count)
    assert outcomes == outcome


def test_the_search_stops_where_numbers_lack() -> None:
    values = np.array([[[0.9, 0.9, math.nan], [0.0, 0.0, 0.0]]])
    drawn, places = np.zeros(1, dtype=np.int64), np.zeros((1, 2))
    disc, first = np.array([[0.0, 0.0, 0.02]]), np.array([0, 1])
    assert find_free(values, drawn, disc, first, BOXES, RULES, 9, places) == (0, 0, True)
    assert drawn.tolist() == [2]
    assert find_free(values[:, :, :2], drawn, disc, first, BOXES, RULES, 9, places) == (0, 0, True)


def test_the_distance_to_a_box_is_zero_within_it_and_grows_outside() -> None:
    box = BOXES[0].tolist()
    assert distance_to_box(0.2, 0.1, *box) == 0.0
    way = [distance_to_box(0.2 + k * math.cos(0.3), 0.1 + k * math.sin(0.3), *box) for k in (0.1, 0.2, 0.3)]
    assert way[0] == pytest.approx(0.0, abs=1e-12)
    assert [b - a for a, b in pairwise(way)] == pytest.approx([0.1, 0.1])
