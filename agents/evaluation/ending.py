"""When an episode is over, also in an environment without a time limit of Gymnasium's."""

from typing import Any

import gymnasium as gym

from simworld.envs.env import ManipulationEnv


def most_steps(env: gym.Env[Any, Any]) -> int | None:
    """After how many steps an episode is over at the latest; None where nothing says so."""
    told = env.spec.max_episode_steps if env.spec is not None else None
    if told is not None and told > 0:  # -1 asks `gym.make` for none
        return told
    return env.unwrapped.task.steps if isinstance(env.unwrapped, ManipulationEnv) else None
