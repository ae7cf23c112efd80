"""Makes environments from their configuration."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.goal_env import GoalEnv
from simworld.envs.observations import View
from simworld.envs.registration import ENTRY_POINT, VECTOR_ENTRY_POINT, registered_tasks
from simworld.envs.tasks import has_variants
from simworld.errors import ConfigurationError, shown


def make(config: EnvConfig) -> gym.Env[Any, NDArray[np.float32]]:
    """The environment of a configuration, in the wrappers that `gym.make` gives: it ends after the task's steps."""
    if not isinstance(config, EnvConfig):
        raise ConfigurationError(f"make: takes an EnvConfig, and gym.make an id; got {shown(config)}")
    return gym.make(spec_of(config, config.task.steps))


def spec_of(config: EnvConfig, max_episode_steps: int | None) -> EnvSpec:
    """What Gymnasium makes the environment of a configuration of, or many of them."""
    ids = [env_id for env_id, task in registered_tasks().items() if task == config.task]
    return EnvSpec(
        ids[0] if ids else f"{config.task.name}-v0",
        ENTRY_POINT,
        max_episode_steps=max_episode_steps,
        kwargs={option: getattr(config, option) for option in EnvConfig.model_fields},
        vector_entry_point=VECTOR_ENTRY_POINT,
    )


def bare(config: EnvConfig, draw: Callable[[View], None] | None = None) -> ManipulationEnv:
    """The environment of a configuration, without Gymnasium's wrappers: its episodes have no limit of steps.

    Where goals are observed, and they alone say the reward and the success, it can compute rewards of any goals.
    """
    # stable-baselines3 takes what has a `compute_reward` for a goal's.
    kind = GoalEnv if config.of_goals and "state" in config.observation else ManipulationEnv
    return kind(config, draw=draw)


def make_registered(**options: Any) -> gym.Env[Any, NDArray[np.float32]]:
    """The environment of the options that `gym.make` was given, and of the task that its id is registered with.

    That of a task with variants ends after the variant's own steps, which its id does not say.
    """
    env = bare(config := EnvConfig(**options))
    return TimeLimit(env, config.task.steps) if has_variants(options.get("task")) else env


# Every mode of `render` is listed, because where there is no display Gymnasium would put a wrapper of its own that
# needs pygame around an environment asked to open a window.
make_registered.metadata = ManipulationEnv.metadata  # type: ignore[attr-defined]
