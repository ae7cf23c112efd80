"""What it takes to go on with DAgger after any of its rounds, to the same bits."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from simworld.agents.imitation.cloning import CloningSettings
from simworld.agents.imitation.demonstrations import Transitions, together
from simworld.agents.learning.training_checkpoint import (
    TrainingProgress,
    read_progress,
    save_progress,
    state_of_module,
)
from simworld.agents.networks.network import NetworkPolicy, check_shapes, to_torch
from simworld.agents.networks.stored import Tensors
from simworld.agents.settings import Whole
from simworld.errors import ConfigurationError

_TOLD = "observations", "goals", "actions"
_LENGTHS = "lengths"

Epochs = Annotated[Whole, Field(ge=1)]


class _DaggerProgress(TrainingProgress):
    """How far DAgger is: its `updates` are the rounds that were cloned, its `steps` the episodes.

    The last policy was cloned in `epochs`, the best one in `best_epochs`, which are those of the last where there is
    none.
    """

    ranges: dict[str, Any] | None
    epochs: Epochs
    best_epochs: Epochs


class DaggerState(NamedTuple):
    """All there is after some rounds: what was told in each episode, the last policy, the best with its success.

    `ranges` are those of adaptive training, as plain data.
    """

    rounds: int
    told: list[Transitions]
    policy: NetworkPolicy
    best: tuple[float, NetworkPolicy] | None
    ranges: dict[str, Any] | None


def save_dagger(path: Path, asked: Mapping[str, Any], state: DaggerState) -> None:
    """Write it, atomically."""
    all_told = together(state.told)
    tensors: Tensors = {name: getattr(all_told, name) for name in _TOLD}
    tensors[_LENGTHS] = np.array([len(each.groups) for each in state.told], np.float32)
    best = state.best
    for kind, policy in (("policy", state.policy), ("best", best and best[1])):
        if policy is not None:
            tensors |= state_of_module(kind, policy.network)
    document = dict(asked) | {
        "steps": len(state.told),
        "updates": state.rounds,
        "ranges": state.ranges,
        "epochs": state.policy.settings["epochs"],
        "best": best and best[0],
        "best_epochs": (best[1] if best else state.policy).settings["epochs"],
    }
    save_progress(path, _DaggerProgress.model_validate(document, strict=False), tensors)


def read_dagger(
    path: Path | None, asked: Mapping[str, Any], settings: CloningSettings, seed: int
) -> DaggerState | None:
    """What `save_dagger` wrote of episodes of a root seed, if it is there; ConfigurationError if it is not that."""
    kept = read_progress(path, _DaggerProgress, asked)
    if kept is None or path is None:
        return None
    progress, tensors = kept
    interface, lengths = settings.interface, tensors.get(_LENGTHS, np.zeros(0, np.float32))
    whole = ((lengths >= 1) & (lengths % 1 == 0)).all() and lengths.shape == (progress.steps,)
    ends = np.cumsum([0, *lengths.astype(np.int64)]) if whole else np.zeros(1, np.int64)
    wide = dict(zip(_TOLD, (interface.sizes["observation"], interface.goal, interface.action), strict=True))
    found = {name: tensors[name].shape for name in _TOLD if name in tensors}
    if found != {name: (ends[-1], width) for name, width in wide.items()}:
        raise ConfigurationError(
            f"{path} cannot be used: what was told must be of {progress.steps} episodes, got {found}"
        )
    observations, goals, actions = (tensors[name] for name in _TOLD)
    told = [
        Transitions(observations[begin:end], goals[begin:end], actions[begin:end], [f"{seed}/{k}"] * (end - begin))
        for k, (begin, end) in enumerate(itertools.pairwise(ends.tolist()))
    ]
    best = None
    if progress.best is not None:
        best = progress.best, _policy(path, tensors, "best", settings, progress.best_epochs)
    policy = _policy(path, tensors, "policy", settings, progress.epochs)
    return DaggerState(progress.updates, told, policy, best, progress.ranges)


def _policy(path: Path, tensors: Tensors, kind: str, settings: CloningSettings, epochs: int) -> NetworkPolicy:
    own = settings.model_copy(update={"epochs": epochs})
    policy = NetworkPolicy(settings.architecture, own.model_dump(), settings.seed)
    mine = {name.removeprefix(f"{kind}."): v for name, v in tensors.items() if name.startswith(f"{kind}.")}
    check_shapes(path, mine, policy.network.state_dict())
    policy.network.load_state_dict(to_torch(mine))
    return policy
