"""The environments that recipes are about: by id, or of the task in a YAML file."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from simworld.envs import register, registered_tasks
from simworld.envs.registration import ENTRY_POINT
from simworld.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from simworld.envs.config import EnvConfig
    from simworld.envs.task import Task

_SUFFIXES = (".yaml", ".yml")


def make_env(env_id: str, randomization: Any, **options: Any) -> gym.Env[Any, Any]:
    """Make an environment of a registered id, or of the task in a YAML file; another raises ConfigurationError."""
    return gym.make(_id_of(env_id), randomization=randomization, **options)


def config_of(env_id: str, **options: Any) -> "EnvConfig":
    """The configuration of an environment that `make_env` makes."""
    from simworld.envs.config import EnvConfig

    return EnvConfig(task=task_of(env_id), **options)


def as_plain(config: "EnvConfig") -> dict[str, Any]:
    """A configuration as JSON data."""
    plain: dict[str, Any] = json.loads(config.to_json())
    return plain


def env_of(config: Mapping[str, Any]) -> gym.Env[Any, Any]:
    """The environment of a configuration as JSON data, whether its task is registered here or not.

    Its spec says all of it, so that `gym.make` makes it again anywhere.
    """
    given = {name: value for name, value in config.items() if value is not None}
    task = given["task"]
    shipped = next((name for name, known in registered_tasks().items() if known.to_plain() == task), None)
    spec = EnvSpec(shipped or f"task/{task['name']}-v0", ENTRY_POINT, max_episode_steps=task["steps"], kwargs=given)
    return gym.make(spec)


def task_of(env_id: str) -> "Task":
    """The task of an environment that `make_env` makes."""
    return registered_tasks()[_id_of(env_id)]


def _id_of(env_id: str) -> str:
    """The id of an environment, that of a YAML file being made of the task's name."""
    tasks = registered_tasks()
    if env_id.endswith(_SUFFIXES):
        from simworld.envs.task import Task

        task = Task.load(env_id)
        name = f"task/{task.name}-v0"
        if tasks.get(name) != task:
            register(name, task)
        return name
    if env_id not in tasks:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(env_id, tasks)}")
    return env_id
