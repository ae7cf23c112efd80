"""The folder of a training, tried as it was trained: its policy, in the environment that it learnt in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simworld.agents.policy import POLICY
from simworld.envs import registered_tasks
from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import Record, read_json

RECORD = "training.json"


class Trained(Record):
    """Where a training learnt: the environment, as JSON data without what its policy's file says, and its id."""

    env_id: str
    environment: dict[str, Any]


class Tried(NamedTuple):
    """A policy, and the environment and randomization in which it is tried."""

    env: str | Trained
    policy: str
    randomization: str | Mapping[str, Any]


def tried(env_id: str, policy: str | None, randomization: str | None) -> Tried:
    """What is asked for, of an environment or of the folder of a training, which says what is not.

    ConfigurationError for a folder that does not say it.
    """
    env: str | Trained = env_id
    own: tuple[str, str | Mapping[str, Any]] = "expert", "default"
    if Path(env_id).is_dir() and env_id not in registered_tasks():
        env = _trained_in(Path(env_id))
        own = str(Path(env_id) / POLICY), env.environment.get("randomization", {})
    return Tried(env, own[0] if policy is None else policy, own[1] if randomization is None else randomization)


def called(env: str | Trained) -> str:
    """The id of an environment."""
    return env if isinstance(env, str) else env.env_id


def _trained_in(folder: Path) -> Trained:
    try:
        return read_json(folder / RECORD, Trained)
    except FileNotFoundError:
        raise ConfigurationError(f"{folder}: neither environment nor training: it has no {RECORD}") from None
    except DatasetError as error:
        raise ConfigurationError(f"{error}; name the environment, and the policy by --policy") from None
