"""Stores of episodes that a policy learns from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import KIND, read_episodes
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.rollouts import RolloutRequest


class ShownEpisodes:
    """Episodes of one or several folders, all of one interface.

    `configs` are the environments of each, and `config` that of the first. ConfigurationError where one is of another
    id or other options, or does not observe the state.
    """

    def __init__(self, folders: Path | Sequence[Path], env_id: str, options: Mapping[str, Any]) -> None:
        self.folders = (folders,) if isinstance(folders, Path) else tuple(folders)
        if not self.folders:
            raise ConfigurationError("demonstrations: name at least one folder of episodes")
        self._env_id = env_id
        self.configs = [_demonstrated(folder, env_id, options) for folder in self.folders]
        self.config = self.configs[0]
        for folder, other in zip(self.folders, self.configs, strict=True):
            if (wrong := self.config.interface.difference(other.interface)) is not None:
                raise ConfigurationError(f"{folder} holds episodes of another environment: {wrong}")
        self.digest = "+".join(map(content_digest, self.folders))

    @property
    def count(self) -> int:
        """How many episodes there are."""
        return sum(read_request(folder, KIND, RolloutRequest).count for folder in self.folders)

    def read(self) -> Iterator[Episode]:
        """The episodes in order; DatasetError where one does not observe what its environment does."""
        sizes = self.config.interface.sizes
        for folder in self.folders:
            for episode in read_episodes(folder):
                found = {name: episode.observations[name].shape[1] for name in sizes}
                if found != sizes:
                    which = f"{episode.seed}/{episode.index}"
                    observed = f"{self._env_id} observes {dict(sizes)}"
                    raise DatasetError(f"{folder}: {observed}, but {which} has {found}")
                yield episode


def _demonstrated(demonstrations: Path, env_id: str, options: Mapping[str, Any]) -> EnvConfig:
    """The configuration of the environment of episodes; ConfigurationError unless it is of that id and options."""
    asked = read_request(demonstrations, KIND, RolloutRequest)
    if _shown(asked.environment.get("task")) != _shown(config_of(env_id, **options).task.to_plain()):
        changed = ", as it was" if asked.env_id == env_id else f", not of {env_id}"
        raise ConfigurationError(f"{demonstrations} holds episodes of {asked.env_id}{changed}")
    config = EnvConfig.from_json(json.dumps(asked.environment))
    if "state" not in config.observation:
        raise ConfigurationError(f"{demonstrations}: what is cloned needs the state, got {[*config.observation]} alone")
    own = {name: value for name, value in options.items() if name in EnvConfig.model_fields}
    if any(getattr(config, name) != value for name, value in own.items()):
        theirs = ", ".join(f"{name} {getattr(config, name)}" for name in ("robot", "control"))
        given = ", ".join(f"{name} {value}" for name, value in own.items())
        raise ConfigurationError(f"{demonstrations}: the demonstrations are of {theirs}, not of {given}")
    return config


def _shown(task: Any) -> Any:
    """What of a task is shown: rewards are not."""
    return {name: value for name, value in task.items() if name != "reward"} if isinstance(task, Mapping) else task
