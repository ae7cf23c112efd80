"""Where what slides comes to rest, and what is told of that."""

import numpy as np
import pytest
import torch

from simworld.agents.networks.sliding import place_of_rest, slides, sliding_features
from simworld.envs.config import EnvConfig

SLIDE = EnvConfig(task="slide").interface


def observation(**fields: object) -> np.ndarray:
    """What is observed where all else is nought."""
    told = np.zeros(SLIDE.sizes["observation"], np.float32)
    for name, value in fields.items():
        told[SLIDE.places[name]] = value
    return told


def test_only_a_thing_of_which_velocity_and_friction_are_observed_slides() -> None:
    assert [task for task in ("slide", "push", "reach", "stack") if slides(EnvConfig(task=task).interface)] == ["slide"]


def test_it_comes_to_rest_after_half_of_the_square_of_its_speed_over_what_slows_it() -> None:
    told = observation(
        object_position=(0.1, 0.2, 0.015), object_velocity=(0.12, -0.16, 0.5, 1.0, 2.0, 3.0), object_friction=0.02
    )
    way = 0.2**2 / (2 * 0.02 * 9.81 / 0.9)
    np.testing.assert_allclose(place_of_rest(told, SLIDE), [0.1 + 0.6 * way, 0.2 - 0.8 * way], rtol=1e-5)
    still = observation(object_position=(0.1, 0.2, 0.015))
    np.testing.assert_array_equal(place_of_rest(np.stack([still, still]), SLIDE), np.float32([[0.1, 0.2]] * 2))
    gone = observation(object_velocity=(3.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    np.testing.assert_allclose(place_of_rest(gone, SLIDE), [1.0, 0.0])


def test_with_the_velocity_that_it_needs_it_comes_to_rest_at_the_goal() -> None:
    goal = np.array([0.3, -0.1, 0.015], np.float32)
    before = observation(object_position=(-0.1, 0.02, 0.015), object_friction=0.006)
    needed = sliding_features(before, goal, SLIDE)[1]
    pushed = before.copy()
    pushed[SLIDE.places["object_velocity"]][:2] = needed
    off, _, less, *_ = sliding_features(pushed, goal, SLIDE)
    np.testing.assert_allclose(off, 0.0, atol=1e-6)
    np.testing.assert_allclose(less, 0.0, atol=1e-6)


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.5])
def test_the_tool_is_told_along_the_way_and_aside_whichever_way_that_is(angle: float) -> None:
    ahead, left = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    place = np.array([0.05, 0.1])
    told = observation(
        object_position=(*place, 0.015),
        object_velocity=(*(0.2 * ahead - 0.1 * left), 0.0, 0.0, 0.0, 0.0),
        tool_position=(*(place - 0.04 * ahead + 0.005 * left), 0.01),
        object_friction=0.01,
    )
    goal = np.array([*(place + 0.3 * ahead), 0.015], np.float32)
    *_, tool, tool_aside, fast, fast_aside, aside, off = sliding_features(told, goal, SLIDE)
    np.testing.assert_allclose(np.r_[tool, tool_aside, fast, fast_aside], [-0.04, 0.005, 0.2, -0.1], atol=1e-6)
    np.testing.assert_allclose(aside, 0.5 / 1.5, atol=1e-5)
    needed = np.sqrt(2 * 0.01 * 9.81 / 0.9 * 0.3)
    wanted = ((needed - 0.2) * ahead + 0.1 * left) / 0.05
    np.testing.assert_allclose(off, wanted / (1 + np.abs(wanted)), atol=1e-4)


def test_all_is_finite_where_it_is_at_the_goal() -> None:
    told = observation(object_position=(0.3, 0.0, 0.015))
    assert all(np.isfinite(part).all() for part in sliding_features(told, np.float32([0.3, 0.0, 0.015]), SLIDE))


def test_arrays_of_torch_are_told_the_same() -> None:
    many = np.random.default_rng(0).normal(size=(20, SLIDE.sizes["observation"])).astype(np.float32)
    goal = np.float32([[0.3, -0.1, 0.015, 1.0]]).repeat(20, axis=0)
    told = sliding_features(torch.from_numpy(many), torch.from_numpy(goal), SLIDE)
    for mine, other in zip(sliding_features(many, goal, SLIDE), told, strict=True):
        assert mine.dtype == np.float32 and isinstance(other, torch.Tensor)
        np.testing.assert_allclose(other, mine, rtol=1e-5, atol=1e-6)
