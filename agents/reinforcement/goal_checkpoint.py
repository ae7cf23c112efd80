"""What it takes to go on with learning goals that was stopped: not to the same bits, as episodes begin anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, ValidationError
from torch import nn

from simworld.agents.network import to_torch
from simworld.agents.stored import Tensors, read_stored, write_stored
from simworld.errors import ConfigurationError
from simworld.plain import Plain, describe

_MOST_BYTES = 2**34
"""Of a file: ten million steps of a hundred numbers."""

_MOMENTS = "exp_avg", "exp_avg_sq"

Count = Annotated[int, Field(ge=0)]


class GoalProgress(Plain):
    """How far a training is: what is no tensor of it.

    `environment` and `settings` are what it was asked for; of all features so far there are `count`, whose `sums` and
    `squares` normalize them. The `best` test had that share of successes.
    """

    checkpoint_version: Literal[1] = 1
    environment: str
    settings: dict[str, Any]
    steps: Annotated[int, Field(ge=1)]
    updates: Annotated[int, Field(ge=1)]
    chunks: Annotated[int, Field(ge=1)]
    episodes: Count
    count: Count
    sums: tuple[float, ...]
    squares: tuple[float, ...]
    best: Annotated[float, Field(ge=0, le=1)] | None


def save_progress(path: Path, progress: GoalProgress, tensors: Tensors) -> None:
    """Write it, atomically."""
    write_stored(path, progress.model_dump(mode="json"), tensors)


def read_progress(path: Path, environment: str, settings: Mapping[str, Any]) -> tuple[GoalProgress, Tensors]:
    """What `save_progress` wrote; ConfigurationError if it is something else, or of another training."""
    content, tensors = read_stored(path, _MOST_BYTES)
    try:
        progress = GoalProgress.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{path} is no checkpoint of learning goals: {describe(error)}") from None
    if (progress.environment, progress.settings) != (environment, dict(settings)):
        raise ConfigurationError(f"{path} is of another training; remove it to begin again")
    return progress, tensors


def state_of_module(name: str, module: nn.Module) -> Tensors:
    """A module's tensors, and the moments of its optimizer where it is learnt by one, by name."""
    found = {f"{name}.{key}": values for key, values in module.state_dict().items()}
    learning: Any = getattr(module, "optimizer", None)
    for key, parameter in module.named_parameters() if learning is not None else ():
        state = learning.state.get(parameter, {})
        found |= {f"{name}.{key}.{moment}": state[moment] for moment in _MOMENTS if moment in state}
    return {key: values.detach().numpy().copy() for key, values in found.items()}


def restore_module(name: str, module: nn.Module, tensors: Tensors, updates: int) -> None:
    """Give a module what `state_of_module` told of it after so many updates; KeyError where something is missing."""
    parts = to_torch({key.removeprefix(f"{name}."): v for key, v in tensors.items() if key.startswith(f"{name}.")})
    module.load_state_dict({key: parts[key] for key in module.state_dict()})
    learning: Any = getattr(module, "optimizer", None)
    for key, parameter in module.named_parameters():
        if f"{key}.{_MOMENTS[0]}" in parts:
            moments = {moment: parts[f"{key}.{moment}"] for moment in _MOMENTS}
            learning.state[parameter] = {"step": torch.tensor(float(updates)), **moments}
