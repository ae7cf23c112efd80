"""The environments that recipes are about: by id, by a task's YAML file, by MODULE:ID, or of a training."""

import importlib
import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from simworld.envs import register, registered_tasks
from simworld.envs.registration import ENTRY_POINT
from simworld.errors import ConfigurationError, nearest, shortened
from simworld.experiments.recipes.trained import Trained

if TYPE_CHECKING:
    from simworld.envs.config import EnvConfig
    from simworld.envs.task import Task

_SUFFIXES = (".yaml", ".yml")


def make_env(env_id: str | Trained, randomization: Any, **options: Any) -> gym.Env[Any, Any]:
    """Make an environment of an id, a YAML file, MODULE:ID or a training; any other raises ConfigurationError."""
    if isinstance(env_id, Trained):
        return env_of(as_plain(config_of(env_id, randomization=randomization, **options)))
    return gym.make(_id_of(env_id), randomization=randomization, **options)


def config_of(env_id: str | Trained, **options: Any) -> "EnvConfig":
    """The configuration of an environment that `make_env` makes."""
    from simworld.envs.config import EnvConfig
    from simworld.envs.tasks import shipped

    if isinstance(env_id, Trained):
        given = {name: value for name, value in env_id.environment.items() if value is not None}
        return EnvConfig(**given | options)
    task = task_of(env_id)
    ships = task in shipped().values()
    return EnvConfig(task=task.name if ships else task, **options)


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
    if env_id.endswith(_SUFFIXES):
        from simworld.envs.task import Task

        task = Task.load(env_id)
        name = f"task/{task.name}-v0"
        if registered_tasks().get(name) != task:
            register(name, task)
        return name
    _import_module_of(env_id)
    name, tasks = env_id.rpartition(":")[2], registered_tasks()
    if name not in tasks:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(name, tasks)}")
    return name


def _import_module_of(env_id: str) -> None:
    """Import the module that MODULE:ID names, as Gymnasium does, also one of the current folder."""
    module, _, _ = env_id.rpartition(":")
    if not module:
        return
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever the code in it raises
        reason = shortened(str(error).partition("\n")[0] or "it stopped")
        raise ConfigurationError(f"{env_id}: importing {module!r} raised {type(error).__name__}: {reason}") from None
