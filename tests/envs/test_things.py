"""Environments with things of families: all that holds for other objects holds for them."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import simworld as sw
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.distributions.choices import Tagged
from simworld.distributions.univariate import Integers
from simworld.envs.things import HANDY

THINGS = {"objects.*.kind": Tagged(("graspable",)), "objects.*.seed": Integers(0, 9), "objects.count": 3}


def made(env_id: str = "simworld/PlaceInBox-v0") -> Any:
    return gym.make(env_id, randomization=["default", THINGS]).unwrapped


def equal(a: Any, b: Any) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_resets_are_exact_whatever_was_before(seed: int) -> None:
    one, other = made(), made()
    other.reset(seed=seed + 17)
    other.step(other.action_space.sample())
    first, second = one.reset(seed=seed)[0], other.reset(seed=seed)[0]
    assert equal(first, second)
    one.action_space.seed(3)
    for _ in range(8):
        action = one.action_space.sample()
        assert equal(one.step(action)[0], other.step(action)[0])
    categories = {body.category for body in one.sample.scene.bodies if body.mass > 0}
    assert categories
    one.close()
    other.close()


@pytest.mark.parametrize("family", ["bottle", "carton", "coffee_mug", "jar", "spatula"])
def test_the_expert_puts_things_where_their_grips_are_observed_into_the_box(family: str) -> None:
    drawn = {"objects.0.kind": family, "objects.*.seed": Integers(0, 199)}
    config = sw.EnvConfig(task="place_in_box", control="ee_pose", randomization=drawn)
    env = sw.make(config)
    results = evaluate(expert(config), env, range(3)).results
    assert sum(result.success for result in results) >= 2
    env.close()


@pytest.mark.parametrize("options", [{"task": "sort", "by": "category"}, {"task": "in_order"}, {"task": "tidy_table"}])
def test_the_expert_of_many_things_handles_families(options: dict[str, Any]) -> None:
    config = sw.EnvConfig(**options, things="families", randomization="default")
    env, policy = sw.make(config), expert(config)
    results = evaluate(policy, env, range(3)).results
    kinds = {kind for name, kind in env.unwrapped.parameters.items() if name.endswith(".kind")}  # type: ignore[attr-defined]
    assert sum(result.success for result in results) >= 2 and kinds & set(HANDY)
    env.close()
