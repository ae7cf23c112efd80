"""The environments that recipes are about, by id."""

from typing import Any

import gymnasium as gym

from simworld.envs import ENV_IDS
from simworld.errors import ConfigurationError, nearest


def make_env(env_id: str, randomization: Any, **options: Any) -> gym.Env[Any, Any]:
    """Make one of simworld's environments; an unknown id raises ConfigurationError."""
    task_of(env_id)
    return gym.make(env_id, randomization=randomization, **options)


def task_of(env_id: str) -> str:
    """The task of an environment; an unknown id raises ConfigurationError."""
    if env_id not in ENV_IDS:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(env_id, ENV_IDS)}")
    return ENV_IDS[env_id][0]
