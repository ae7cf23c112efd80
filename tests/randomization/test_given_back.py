"""The parameters of an episode, given back, make it again whatever else the environment was told."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import simworld  # noqa: F401
from simworld.agents.collect import collect_episode, manipulation
from simworld.agents.experts import expert
from simworld.distributions.geometric import Rotation
from simworld.distributions.univariate import Uniform
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.randomization.presets import PRESETS
from simworld.randomization.randomization import Randomization

STRETCHED = {f"objects.*.stretch.{axis}": Uniform(0.5, 2.0) for axis in "xyz"}
TURNED = {"objects.*.orientation": Rotation()} | STRETCHED
CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "reach": ("simworld/Reach-v0", {}),
    "pick into the air": ("simworld/PickAndPlace-v0", {"goal.on_table": 0}),
    "pick and put down": ("simworld/PickAndPlace-v0", {"goal.on_table": 1}),
    "place in box": ("simworld/PlaceInBox-v0", {}),
}
SMALLEST: Mapping[str, Any] = {"objects.*.kind": "mug", "objects.*.width": 0.01, "goal.on_table": 1} | {
    f"objects.*.stretch.{axis}": 0.5 for axis in "xyz"
}
SEEN = ["state", "rgb", "depth", "segmentation"]


@contextmanager
def made(task: str, randomization: Randomization | str) -> Iterator[ManipulationEnv]:
    """An environment that sees everything, in small pictures."""
    with closing(gym.make(task, randomization=randomization, observation=SEEN, image_size=48)) as env:
        yield manipulation(env)


def through_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a file would give them back."""
    given: dict[str, Any] = json.loads(json.dumps(parameters))
    return given


def same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Whether two observations are the same bit for bit."""
    return one.keys() == other.keys() and all(
        one[key].dtype == other[key].dtype and np.array_equal(one[key], other[key]) for key in one
    )


def assert_given_back(task: str, randomization: Randomization, episodes: int) -> None:
    """Check that each episode's parameters make its scene and its first observation in an environment of nothing."""
    with made(task, randomization) as drawing, made(task, "none") as plain:
        for index in range(episodes):
            first, _ = drawing.reset(seed=4, options={"index": index})
            again, _ = plain.reset(seed=99, options={"parameters": through_json(drawing.parameters)})
            assert plain.sample.scene == drawing.sample.scene, index
            assert plain.parameters == drawing.parameters, index
            assert same(first, again), index


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("preset", ["full", "extreme"])
def test_parameters_given_back_make_the_same_scene_and_first_observation(preset: str, case: str) -> None:
    task, more = CASES[case]
    assert_given_back(
        task,
        PRESETS[preset] | {f"{address}?": distribution for address, distribution in TURNED.items()} | dict(more),
        5,
    )


def test_parameters_of_the_smallest_things_can_be_given_back() -> None:
    assert_given_back("simworld/PickAndPlace-v0", Randomization(SMALLEST), 3)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_drawn_values_given_back_make_the_same_episode(preset: str) -> None:
    with closing(gym.make("simworld/PlaceInBox-v0", randomization=preset)) as env:
        for index in range(3):
            env.reset(seed=4, options={"index": index})
            scene, drawn = manipulation(env).sample.scene, manipulation(env).parameters
            env.action_space.seed(index)
            actions = [env.action_space.sample() for _ in range(20)]
            first = [env.step(action)[0]["observation"] for action in actions]
            env.reset(seed=99, options={"parameters": through_json(drawn), "randomization": "none"})
            assert manipulation(env).sample.scene == scene
            assert manipulation(env).parameters == drawn
            second = [env.step(action)[0]["observation"] for action in actions]
            assert np.array_equal(first, second)


@pytest.mark.parametrize("index", range(3))
def test_a_collected_episode_given_back_has_the_same_actions_and_observations(index: int) -> None:
    with (
        closing(gym.make("simworld/PlaceInBox-v0", randomization="extreme")) as drawing,
        closing(gym.make("simworld/PlaceInBox-v0")) as plain,
    ):
        one = collect_episode(drawing, expert(EnvConfig(task="place_in_box")), 3, index, 0.5, {"policy.noise": 1.5})
        two = collect_episode(
            plain, expert(EnvConfig(task="place_in_box")), 77, index + 9, 0.5, through_json(one.parameters)
        )
    assert one.expert_actions is not None and not np.array_equal(one.actions, one.expert_actions)
    assert np.array_equal(one.actions, two.actions)
    assert same(one.observations, two.observations)
    assert one.scene == two.scene and one.parameters == two.parameters
