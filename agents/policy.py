"""What acts: a Policy maps an observation to an action; every kind is loaded by one function."""

import hashlib
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
    """Uniform actions, each drawn by a generator that the observation seeds: no order of episodes changes any."""

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (4,) for an observation."""
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(observation):
            digest.update(np.ascontiguousarray(observation[name]).tobytes())
        generator = np.random.default_rng(int.from_bytes(digest.digest()))
        return generator.uniform(-1, 1, 4).astype(np.float32)


def load_policy(source: str, task: str) -> Policy:
    """The policy called `source`: "expert", "random", a cloned policy's .pt or a stable-baselines3 .zip file.

    A file of another task, or none, raises ConfigurationError.
    """
    path = Path(source)
    if source == "expert":
        from simworld.agents.experts import expert

        return expert(task)
    if source == "random":
        return RandomPolicy()
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

    reinforced = ReinforcedPolicy.load(path)
    if (wrong := reinforced.mismatch(task)) is not None:
        raise ConfigurationError(f"policy: {source} was not trained for {task!r}: {wrong}")
    return reinforced


def policy_digest(source: str) -> str | None:
    """SHA-256 of a policy's file; None for the policies that are code."""
    if source in ("expert", "random"):
        return None
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
