"""Demonstrations as what is learnt from: an expert's action at every step, and the scene that the step belongs to."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.store.episode import Episode
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError

Float = NDArray[np.float32]

_FEWEST_GROUPS = 2
"""One to learn from, and one held out."""


class Transitions(NamedTuple):
    """Observations (n, d), goals (n, g) and the expert's actions (n, a) of n steps, and the group of each.

    Steps of one group are of one scene, or of variations of it: what is learnt of some is no news in the others.
    """

    observations: Float
    goals: Float
    actions: Float
    groups: Sequence[str]

    def digest(self) -> str:
        """SHA-256 of all of it."""
        digest = hashlib.sha256(repr([*map(str, self.groups)]).encode())
        for values in self[:3]:
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def transitions(episodes: Sequence[Episode]) -> Transitions:
    """All steps of some episodes; none at all raises ConfigurationError."""
    if not episodes:
        raise ConfigurationError("there are no demonstrations to learn from")
    return together([transitions_of(episode) for episode in episodes])


def transitions_of(episode: Episode) -> Transitions:
    """All steps of an episode."""
    return Transitions(
        observations=episode.observations["observation"][:-1],
        goals=episode.observations["desired_goal"][:-1],
        actions=episode.actions if episode.expert_actions is None else episode.expert_actions,
        groups=group_of(episode),
    )


def together(parts: Sequence[Transitions]) -> Transitions:
    """All steps of some parts."""
    return Transitions(
        observations=np.concatenate([part.observations for part in parts]),
        goals=np.concatenate([part.goals for part in parts]),
        actions=np.concatenate([part.actions for part in parts]),
        groups=[group for part in parts for group in part.groups],
    )


def group_of(episode: Episode) -> list[str]:
    """Of each step of an episode: which scene it is of, or which it is a variation of."""
    return [f"{episode.seed}/{episode.group}"] * len(episode)


def check_groups(groups: Iterable[object]) -> None:
    """Raise ConfigurationError unless there are scenes enough to hold some out."""
    if (found := len(set(groups))) < _FEWEST_GROUPS:
        raise ConfigurationError(f"demonstrations: must be of at least {_FEWEST_GROUPS} scenes, got {found}")


def check_demonstrations(interface: Interface, data: Transitions) -> None:
    """Raise ConfigurationError unless a policy for an interface can be fitted to these."""
    steps = len(data.observations)
    given = {
        "observations": (data.observations, interface.sizes["observation"]),
        "goals": (data.goals, interface.goal),
        "actions": (data.actions, interface.action),
    }
    for name, (values, size) in given.items():
        if values.shape != (steps, size):
            raise ConfigurationError(f"{name}: must be ({steps}, {size}), got {values.shape}")
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise ConfigurationError(f"{name}: must be finite float32 numbers, got {values.dtype}")
    if len(data.groups) != steps:
        raise ConfigurationError(f"groups: must be one for each of {steps} steps, got {len(data.groups)}")
    check_groups(data.groups)
