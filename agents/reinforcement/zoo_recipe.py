"""What rl-zoo has people learn goals by, for comparisons: TQC in hindsight, one environment, one update a step.

https://github.com/DLR-RM/rl-baselines3-zoo/blob/master/hyperparams/tqc.yml
"""

from typing import Any

import gymnasium as gym
from sb3_contrib import TQC
from sb3_contrib.common.wrappers import TimeFeatureWrapper
from stable_baselines3 import HerReplayBuffer

from simworld.agents.reinforcement.training import silent

RECIPE: dict[str, Any] = {
    "buffer_size": 1_000_000,
    "batch_size": 2048,
    "gamma": 0.95,
    "learning_rate": 1e-3,
    "tau": 0.05,
    "replay_buffer_kwargs": {"goal_selection_strategy": "future", "n_sampled_goal": 4},
    "policy_kwargs": {"net_arch": [512, 512, 512], "n_critics": 2},
}


def with_time(env: gym.Env[Any, Any], *, test: bool = False) -> gym.Env[Any, Any]:
    """An environment that tells how much time is left, as the recipe wants it; in tests always the same."""
    return TimeFeatureWrapper(env, test_mode=test)


def begin_recipe(env: gym.Env[Any, Any], seed: int) -> Any:
    """Its model (stable-baselines3's), with what is drawn from a seed."""
    model = TQC("MultiInputPolicy", env, replay_buffer_class=HerReplayBuffer, seed=seed, device="cpu", **RECIPE)
    model.set_logger(silent())
    return model
