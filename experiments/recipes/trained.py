"""The folder of a training, as an environment: that in which it learnt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import Record, read_json

RECORD = "training.json"


class Trained(Record):
    """What the record of a training says of its environment: all of it, as JSON data, and what it is called."""

    env_id: str
    environment: dict[str, Any]


def trained_in(name: str) -> Trained | None:
    """The training of a folder of that name, if it is one; ConfigurationError where it does not say where it learnt."""
    folder = Path(name)
    if not folder.is_dir():
        return None
    try:
        return read_json(folder / RECORD, Trained)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{folder} is no environment, and no folder of a training: it has no {RECORD}"
        ) from None
    except DatasetError as error:
        raise ConfigurationError(f"{error}; name the environment, and the policy by --policy") from None


def tried(env_id: str, policy: str | None, randomization: str | None) -> tuple[str, str | Mapping[str, Any]]:
    """The policy and randomization that are asked for, or those of a training, or the usual ones."""
    trained = trained_in(env_id)
    own = ("expert", "default") if trained is None else (env_id, trained.environment.get("randomization", "none"))
    return own[0] if policy is None else policy, own[1] if randomization is None else randomization
