"""What acts: a Policy maps an observation to an action; every kind is loaded by one function."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.errors import ConfigurationError


class Policy(Protocol):
    """A deterministic policy of the observation alone."""

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (4,) for the observation of one environment."""
        ...


class RandomPolicy:
    """Uniform actions, from a generator of its own."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        return self._generator.uniform(-1, 1, 4).astype(np.float32)


def load_policy(source: str, task: str) -> Policy:
    """The policy called `source`: "expert", "random", a cloned policy's .pt or a stable-baselines3 .zip file."""
    path = Path(source)
    if source == "expert":
        from simworld.agents.experts import expert

        return expert(task)
    if source == "random":
        from simworld.streams import Streams

        return RandomPolicy(Streams(0)("random policy"))
    if path.suffix not in (".pt", ".zip"):
        raise ConfigurationError(f"policy: must be 'expert', 'random' or a .pt or .zip file, got {source!r}")
    if not path.is_file():
        raise ConfigurationError(f"policy: there is no file {source}")
    if path.suffix == ".pt":
        from simworld.agents.imitation import CloningPolicy

        cloned = CloningPolicy.load(path)
        if cloned.settings.task != task:
            raise ConfigurationError(f"policy: {source} was trained for {cloned.settings.task!r}, not for {task!r}")
        return cloned
    from simworld.agents.reinforcement import ReinforcedPolicy

    return ReinforcedPolicy.load(path)
