"""A reward of stages: what it is worth in closed form, and that no stage is worth as much as to go on."""

import math

import numpy as np
import pytest

import simworld as sw
from simworld.agents.experts import expert
from simworld.envs.making import bare


def near(one: np.ndarray, other: np.ndarray) -> float:
    return 1 - math.tanh(5 * float(np.linalg.norm(one - other)))


@pytest.mark.parametrize("task", ["pick_and_place", "place_in_box"])
def test_each_stage_is_worth_more_than_the_one_before(task: str) -> None:
    config = sw.EnvConfig(task=task, reward="staged", randomization="default")
    env = bare(config)
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        act, rewards, held, over = expert(config), [], [], False
        start = env.world.body_pose("object")[:3]
        goal = observation["desired_goal"][:3]
        beside = float(np.hypot(*(start - goal)[:2]))
        while not over:
            observation, reward, terminated, truncated, info = env.step(act(observation))
            place, tool = env.world.body_pose("object")[:3], env.world.tool_pose()[:3]
            if len(rewards) == 0:
                away = math.hypot(min(beside, 0.08), place[2] - goal[2]) + max(beside - 0.08, 0.0)
                lifted = 0.15 if beside < 0.08 else 0.0
                expected = -1 + 0.2 * near(tool, place) + lifted + 0.4 * (1 - math.tanh(5 * away))
                assert reward == pytest.approx(expected, abs=0.01)
            rewards.append(float(reward))
            held.append(min(env.world.grip_forces("object")) > 0)
            over = terminated or truncated
        assert info["is_success"] and rewards[-1] == 0.0
        assert max(rewards[:-1]) <= -0.1 and min(rewards) >= -1.0
        grasped = held.index(True)
        # Near it, held, and over the goal: each is better than all before.
        assert rewards[grasped] > max(rewards[:grasped]) + 0.1
        assert max(rewards[grasped + 1 : -1]) > rewards[grasped] + 0.1
        # Wherever one stops, to go on is worth more than what that is worth for the two seconds to come.
        assert all(sum(rewards[k:]) > 50 * reward for k, reward in enumerate(rewards[:-1]))
    env.close()


@pytest.mark.parametrize(("task", "name"), [("flip", "object"), ("sort", "object_1")])
def test_it_is_of_a_thing_that_the_goal_is_a_place_for(task: str, name: str) -> None:
    plain = sw.EnvConfig(task=task).task.to_plain() | {"reward": {"staged": f"staged('{name}')"}}
    env = bare(sw.EnvConfig(task=plain))
    with pytest.raises(sw.ConfigurationError, match=f"the goal must be a place for '{name}'"):
        env.reset(seed=0)
    env.close()
