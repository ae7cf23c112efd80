"""A model of stable-baselines3 as tensors, which run nothing when they are read, and what it has played."""

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.her import HerReplayBuffer

from simworld.agents.networks.network import check_shapes, to_arrays, to_torch
from simworld.agents.networks.stored import Tensors
from simworld.errors import ConfigurationError

_REPLAY = "replay."
_PLAYED = "actions", "rewards", "dones", "timeouts", "ep_start", "ep_length"
_SEEN = "observations", "next_observations"


def state_of_model(model: BaseAlgorithm) -> Tensors:
    """All that a model has learnt and remembers, once it has learnt something: weights, moments and what was played."""
    buffer = _buffer(model)
    return to_arrays(_learnt(model)) | ({} if buffer is None else _replay(buffer))


def restore_model(model: BaseAlgorithm, steps: int, updates: int, tensors: Tensors, path: Path) -> None:
    """Make a model that which `state_of_model` told of; ConfigurationError where the tensors of `path` are others.

    What it was in the midst of playing is left out: episodes begin anew.
    """
    buffer = _buffer(model)
    for part in _parts(model).values():
        if isinstance(part, torch.optim.Optimizer):
            _give_moments(part)
    learnt = {name: values for name, values in tensors.items() if not name.startswith(_REPLAY)}
    own = _learnt(model)
    check_shapes(path, learnt, own)
    given = to_torch(learnt)
    with torch.no_grad():
        for name, values in own.items():
            values.copy_(given[name])
    if buffer is not None:
        _give_played(buffer, tensors, path)
    model.num_timesteps, model._n_updates = steps, updates


def _learnt(model: BaseAlgorithm) -> dict[str, torch.Tensor]:
    """The very tensors of a model, by name: of what was not updated yet there are no moments."""
    found = {name: getattr(model, name) for name in model._get_torch_save_params()[1]}
    for name, part in _parts(model).items():
        if isinstance(part, torch.optim.Optimizer):
            for k, parameter in enumerate(_parameters(part)):
                found |= {f"{name}.{k}.{key}": values for key, values in part.state[parameter].items()}
        else:
            found |= {f"{name}.{key}": values for key, values in part.state_dict().items()}
    return found


def _parts(model: BaseAlgorithm) -> dict[str, Any]:
    """Its networks and optimizers by name, such as "actor.optimizer"."""
    return {name: attrgetter(name)(model) for name in model._get_torch_save_params()[0]}


def _parameters(optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]


def _give_moments(optimizer: torch.optim.Optimizer) -> None:
    """Those of Adam, as they are before its first update."""
    for parameter in _parameters(optimizer):
        zeros = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
        optimizer.state[parameter] = {"step": torch.tensor(0.0), **zeros}


def _buffer(model: BaseAlgorithm) -> HerReplayBuffer | None:
    buffer = model.replay_buffer if isinstance(model, OffPolicyAlgorithm) else None
    return buffer if isinstance(buffer, HerReplayBuffer) else None


def _arrays(buffer: HerReplayBuffer) -> dict[str, NDArray[Any]]:
    """What a buffer has of each step (rows, environments, ...)."""
    found = {name: getattr(buffer, name) for name in _PLAYED}
    return found | {f"{name}.{key}": values for name in _SEEN for key, values in getattr(buffer, name).items()}


def _replay(buffer: HerReplayBuffer) -> Tensors:
    """All steps, of which the oldest is the first."""
    rows = np.arange(buffer.pos)
    if buffer.full:
        rows = np.roll(np.arange(buffer.buffer_size), -buffer.pos)
    found = {
        f"{_REPLAY}{name}": values[rows].astype(np.float32, copy=False) for name, values in _arrays(buffer).items()
    }
    begun = found[f"{_REPLAY}ep_start"]
    begun[:] = (begun - (buffer.pos if buffer.full else 0)) % buffer.buffer_size
    return found


def _give_played(buffer: HerReplayBuffer, tensors: Tensors, path: Path) -> None:
    arrays = _arrays(buffer)
    rows = tensors[f"{_REPLAY}actions"].shape[:1] if f"{_REPLAY}actions" in tensors else ()
    for name, values in arrays.items():
        given = tensors.get(f"{_REPLAY}{name}")
        if given is None or given.shape != (*rows, *values.shape[1:]) or rows > values.shape[:1]:
            raise ConfigurationError(f"{path} cannot be used: what was played is of other steps: {name!r}")
    count, begins, lengths = *rows, tensors[f"{_REPLAY}ep_start"], tensors[f"{_REPLAY}ep_length"]
    whole = (begins >= 0) & (lengths >= 0) & (begins + lengths <= count) | (lengths == 0)
    if not (whole.all() and lengths.any()):
        raise ConfigurationError(f"{path} cannot be used: there must be episodes, all of its {count} steps")
    for name, values in arrays.items():
        values[:count] = tensors[f"{_REPLAY}{name}"]
    buffer.pos, buffer.full = count % buffer.buffer_size, count == buffer.buffer_size
    buffer._current_ep_start[:] = buffer.pos
