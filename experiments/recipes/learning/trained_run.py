"""The folder of a training, as what is evaluated: in which environment, and what varied in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.learning.policy_training import RECORD
from simworld.reading import Record, read_json


class Tried(NamedTuple):
    """A policy, and the environment and randomization that it is tried in."""

    env_id: str
    policy: str
    randomization: str | Mapping[str, Any]


class _Learnt(Record):
    env_id: str
    randomization: dict[str, Any]


def tried(env_id: str, policy: str | None, randomization: str | None) -> Tried:
    """What is asked for, of an environment or of the folder of a training, which says what is not asked for.

    ConfigurationError where a folder holds no record of a training, or one that does not say it.
    """
    if not Path(env_id).is_dir():
        return Tried(env_id, policy or "expert", randomization or "default")
    try:
        learnt = read_json(Path(env_id) / RECORD, _Learnt)
    except (FileNotFoundError, DatasetError):
        raise ConfigurationError(
            f"{env_id}: no folder of a training that says where it learnt; name the environment, and --policy {env_id}"
        ) from None
    return Tried(learnt.env_id, policy or env_id, randomization or learnt.randomization)
