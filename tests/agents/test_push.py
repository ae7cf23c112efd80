"""Push: a task that is one file, with its expert."""

from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare

PUSH = "simworld/Push-v0"


@pytest.mark.parametrize(
    ("episodes", "options"),
    [
        (12, {}),
        (4, {"robot": "xarm6"}),
        (4, {"control": "joint_delta"}),
        pytest.param(200, {}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_expert_succeeds(episodes: int, options: dict[str, Any]) -> None:
    config = EnvConfig(task="push", randomization="default", **options)
    with closing(gym.make(PUSH, randomization="default", **options)) as env:
        assert evaluate(expert(config), env, range(episodes)).success_rate >= 0.95


def test_the_goal_is_on_the_table_and_the_object_stays_on_it() -> None:
    with closing(bare(EnvConfig(task="push"))) as env:
        policy = expert(env.config)
        for seed in range(4):
            seen, info = env.reset(seed=seed)
            start = seen["achieved_goal"]
            assert seen["desired_goal"][2] == pytest.approx(start[2], abs=1e-3)
            assert np.hypot(*(seen["desired_goal"] - start)[:2]) > 0.05
            heights = [start[2]]
            while not info["is_success"]:
                seen, _, _, _, info = env.step(policy(seen))
                heights.append(seen["achieved_goal"][2])
            assert max(heights) < start[2] + 0.01 and not info["failure"]
