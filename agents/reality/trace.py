"""What is known of an episode that was not simulated here."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.evaluation.stress import matters
from simworld.datasets.store.episode import Episode
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.randomization.randomization import meets


@dataclass(frozen=True)
class Trace:
    """An episode of T steps: how it was set up, what was done in it and what was observed of the state.

    `config` is of the same task, robot and control in simulation, where nothing is randomized and nothing ends an
    episode; `parameters` are values of its factors that are known beforehand, by address, such as where things were
    put. `actions` are (T, a), and `observations` (T + 1, d), the fields that the environment observes.
    """

    config: EnvConfig
    parameters: Mapping[str, Any]
    actions: NDArray[Any]
    observations: NDArray[np.float32]

    @classmethod
    def of(cls, episode: Episode, hidden: Collection[str]) -> "Trace":
        """What is left of an episode without all that only a simulation knows, and what was drawn of `hidden` factors.

        Their addresses may have a `*`. What things look like is left out, too, as the state says nothing of it.
        ConfigurationError where the state was not observed, or other actions were taken than its environment's.
        """
        config = as_known(episode.environment)
        sizes = {"observation": config.interface.sizes["observation"], "actions": config.interface.action}
        arrays = {"observation": episode.observations.get("observation"), "actions": episode.actions}
        for name, size in sizes.items():
            shape = None if (array := arrays[name]) is None else array.shape[1:]
            if shape != (size,):
                raise ConfigurationError(f"{name}: must be {size} numbers a step, as the state has them, got {shape}")
        known = {
            name: value
            for name, value in episode.parameters.items()
            if matters(config, name) and not meets(hidden, name)
        }
        return cls(config, known, episode.actions, episode.observations["observation"])


def as_known(environment: Mapping[str, Any]) -> EnvConfig:
    """The environment of a configuration as JSON data, as a trace has it."""
    kept = {name: environment[name] for name in ("task", "robot", "control", "control_hz", "substeps")}
    if "contacts" in environment:  # not in what was written before there were several
        kept["contacts"] = environment["contacts"]
    return EnvConfig(**json.loads(json.dumps(kept)), terminate_on="never")
