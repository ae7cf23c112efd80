"""Stack: its expert, and what counts as a stack."""

from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.envs.config import EnvConfig
from simworld.envs.terms import stacked
from simworld.envs.terms.instant import Instant
from simworld.errors import ConfigurationError
from simworld.physics.world import World
from simworld.scene.model import Scene

STACK = "simworld/Stack-v0"


@pytest.mark.parametrize(
    ("episodes", "options"),
    [
        (6, {}),
        (3, {"robot": "xarm6"}),
        (3, {"control": "ee"}),
        (2, {"control": "joint_velocity", "at": "first"}),
        (2, {"count": 3}),
        pytest.param(200, {}, marks=pytest.mark.slow),
        pytest.param(200, {"robot": "xarm6"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_expert_succeeds(episodes: int, options: dict[str, Any]) -> None:
    with closing(gym.make(STACK, randomization="default", **options)) as env:
        policy = expert(EnvConfig(task="stack", randomization="default", **options))
        assert evaluate(policy, env, range(episodes)).success_rate >= 0.95


def scene(count: int, aside: float = 0.0) -> tuple[stacked, Scene]:
    """Blocks upon each other at the goal, each so far `aside` from that below."""
    config = EnvConfig(task="stack", count=count)
    with closing(gym.make(STACK, count=count)) as env:
        env.reset(seed=0)
        made = env.unwrapped.sample.scene  # type: ignore[attr-defined]
    goal = config.task.goal
    assert isinstance(goal, stacked)
    x, y, z = made.body("goal").position
    places = {name: (x + aside * i, y, z + 0.04 * i + 0.0005 * i) for i, name in enumerate(goal.props)}
    bodies = [b.model_copy(update={"position": places.get(b.name, b.position)}) for b in made.bodies]
    return goal, made.model_copy(update={"bodies": tuple(bodies)})


def achieved(goal: stacked, made: Scene, steps: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """What is achieved and desired after so many steps in which nobody acts."""
    with World() as world:
        world.load(made)
        world.step(steps)
        desired, read = goal.begin(made)
        return np.array(read(Instant(world, goal, np.array(desired)))), np.array(desired)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_blocks_upon_each_other_are_a_stack(count: int) -> None:
    goal, made = scene(count)
    got, wanted = achieved(goal, made)
    assert got[-1] == 1.0 and goal.reached(got, wanted)
    assert goal.distance(got, wanted) < 2e-3


def test_what_falls_is_none() -> None:
    goal, made = scene(2, aside=0.024)
    got, wanted = achieved(goal, made)
    assert not goal.reached(got, wanted)


def test_a_stack_elsewhere_is_one_for_hindsight_alone() -> None:
    goal, made = scene(2)
    got, wanted = achieved(goal, made)
    away = wanted + [0.05, 0, 0, 0.05, 0, 0, 0]
    assert not goal.reached(got, away) and goal.reached(got, got)
    moving = got * [1, 1, 1, 1, 1, 1, 0]
    assert not goal.reached(moving, wanted) and goal.reached(moving, moving) and goal.reached(got, moving)


def test_blocks_that_are_held_are_none() -> None:
    goal = EnvConfig(task="stack").task.goal
    with closing(gym.make(STACK, terminate_on="never")) as env:
        policy = expert(EnvConfig(task="stack"))
        seen, info = env.reset(seed=0)
        for _ in range(200):
            seen, _, _, _, info = env.step(policy(seen))
            if info["events"]["grasped"]:
                assert seen["achieved_goal"][-1] == 0.0 and not info["is_success"]
        assert info["is_success"] and goal.reached(seen["achieved_goal"], seen["desired_goal"])


def test_its_variants_are_checked() -> None:
    for wrong in ({"count": 1}, {"count": 5}, {"count": 2.0}, {"at": "there"}):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            gym.make(STACK, **wrong)
    with pytest.raises(ConfigurationError, match="stacked: count must be at least 2"):
        stacked("block", 1)
