"""Ranges by progress: linear between their stages, and refused where they are none."""

from typing import Any

import numpy as np
import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.errors import ConfigurationError
from simworld.randomization.curriculum import Schedule
from simworld.randomization.randomization import Randomization

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space


X, Y, AMBIENT = "goal.position.x", "goal.position.y", "lights.ambient"


def test_a_schedule_is_linear_between_its_stages() -> None:
    schedule = Schedule({X: [(0.0, (0.0, 0.0)), (1.0, (-0.1, 0.05))], AMBIENT: [(0.5, (0.7, 0.8)), (0.75, (0.2, 2.0))]})
    assert schedule.at(0.0) == Randomization({X: Uniform(0.0, 0.0), AMBIENT: Uniform(0.7, 0.8)})
    assert schedule.at(0.5) == Randomization({X: Uniform(-0.05, 0.025), AMBIENT: Uniform(0.7, 0.8)})
    assert schedule.at(0.625)[AMBIENT].support() == pytest.approx((0.45, 1.4))
    assert schedule.at(1.0) == Randomization({X: Uniform(-0.1, 0.05), AMBIENT: Uniform(0.2, 2.0)})


def test_a_schedule_stays_within_its_ranges_to_the_last_bit() -> None:
    schedule = Schedule({X: [(0.0, (-0.1, 0.1)), (0.3, (0.1 / 3, 0.1)), (0.7, (0.1, 0.1)), (1.0, (-0.1, 0.0))]})
    for progress in np.linspace(0, 1, 1001).tolist():
        low, high = schedule.at(progress)[X].support()
        assert -0.1 <= low <= high <= 0.1


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({"lights.ambint": [(0.0, (0.5, 0.6))]}, "did you mean 'lights.ambient'"),
        ([(AMBIENT, [(0.0, (0.5, 0.6))])], "stages: must be a mapping by address, got"),
        ({AMBIENT: [0.1, 0.5]}, r"lights.ambient: the stages must be a list of \(progress, .* got \(0.1, 0.5\)"),
        ({AMBIENT: 0.5}, "lights.ambient: the stages must be a list .* got 0.5"),
        ({AMBIENT: [(0.0, 0.5, 0.6)]}, "lights.ambient: the stages must be a list"),
        ({AMBIENT: [(0.0, 0.5)]}, "lights.ambient: a stage's range must be two numbers"),
        ({AMBIENT: ["ab"]}, "lights.ambient: the stages must be a list"),
        ({1: [(0.0, (0.5, 0.6))]}, "an address is a string, got 1"),
        ({AMBIENT: [([], (0.5, 0.6))]}, "lights.ambient: a stage's progress must be a number"),
        ({AMBIENT: []}, "lights.ambient: there must be at least one stage"),
        ({AMBIENT: [(0.0, (-0.1, 0.6))]}, "lights.ambient: must be a number from 0 to 5"),
        ({AMBIENT: [(0.0, (0.6, 0.5))]}, "lights.ambient: a stage's range must be two numbers"),
        ({AMBIENT: [(1.5, (0.5, 0.6))]}, "lights.ambient: a stage's progress must be a number in 0..1, got 1.5"),
        (
            {AMBIENT: [(0.5, (0.5, 0.6)), (0.5, (0.4, 0.7))]},
            r"lights.ambient: the stages' progress must increase, got \[0.5",
        ),
    ],
)
def test_a_wrong_schedule_is_refused(stages: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SPACE.check(Schedule(stages).widest)


def test_a_schedule_takes_lists_and_arrays() -> None:
    schedule = Schedule({AMBIENT: [(0.0, (0.5, 0.6)), (1.0, (0.5, 0.8))]})
    assert Schedule({AMBIENT: [[0.0, [0.5, 0.6]], [1.0, np.array([0.5, 0.8])]]}) == schedule  # type: ignore[list-item]


def test_a_schedule_has_no_progress_beyond_1() -> None:
    with pytest.raises(ConfigurationError, match="progress: must be a number in 0..1, got 1.01"):
        Schedule({}).at(1.01)
