"""What it takes to go on with a training that was stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import torch
from pydantic import Field, ValidationError
from torch import nn

from simworld.agents.networks.network import to_torch
from simworld.agents.networks.stored import Tensors, read_stored, write_stored
from simworld.errors import ConfigurationError
from simworld.plain import Plain, describe

_MOST_BYTES = 2**34
"""Of a file: ten million steps of a hundred numbers."""

LEARNT = "actor", "critic"
"""The modules that an optimizer changes; others follow."""
_MOMENTS = "exp_avg", "exp_avg_sq"


class TrainingProgress(Plain):
    """How far a training is: what is no tensor of it.

    `environment` and `settings` are what it was asked for. The `best` test had that share of successes.
    """

    checkpoint_version: Literal[1] = 1
    environment: str
    settings: dict[str, Any]
    steps: Annotated[int, Field(ge=1)]
    updates: Annotated[int, Field(ge=1)]
    best: Annotated[float, Field(ge=0, le=1)] | None


P = TypeVar("P", bound=TrainingProgress)


def save_progress(path: Path, progress: TrainingProgress, tensors: Tensors) -> None:
    """Write it, atomically."""
    write_stored(path, progress.model_dump(mode="json"), tensors)


def read_progress(path: Path | None, kind: type[P], asked: Mapping[str, Any]) -> tuple[P, Tensors] | None:
    """What `save_progress` wrote, if it is there; ConfigurationError if it is something else, or was not `asked`."""
    if path is None or not path.exists():
        return None
    content, tensors = read_stored(path, _MOST_BYTES)
    try:
        progress = kind.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{path} is no checkpoint of a training: {describe(error)}") from None
    if any(getattr(progress, name) != value for name, value in asked.items()):
        raise ConfigurationError(f"{path} is of another training; remove it to begin again")
    return progress, tensors


def needed(name: str, module: nn.Module) -> dict[str, torch.Tensor]:
    """What `state_of_module` tells of a module after an update, by name: tensors of those shapes."""
    found = {f"{name}.{key}": values for key, values in module.state_dict().items()}
    parts = module.named_parameters() if name in LEARNT else ()
    return found | {f"{name}.{key}.{moment}": values for key, values in parts for moment in _MOMENTS}


def state_of_module(name: str, module: nn.Module) -> Tensors:
    """A module's tensors and, if it is one that an optimizer changes, that one's moments, by name."""
    found = {f"{name}.{key}": values for key, values in module.state_dict().items()}
    for key, parameter in module.named_parameters() if name in LEARNT else ():
        state = _optimizer(module).state[parameter]
        found |= {f"{name}.{key}.{moment}": state[moment] for moment in _MOMENTS}
    return {key: values.detach().numpy().copy() for key, values in found.items()}


def restore_module(name: str, module: nn.Module, tensors: Tensors, updates: int) -> None:
    """Give a module what `state_of_module` told of it after so many updates, all of which must be there."""
    parts = to_torch({key.removeprefix(f"{name}."): v for key, v in tensors.items() if key.startswith(f"{name}.")})
    module.load_state_dict({key: parts[key] for key in module.state_dict()})
    for key, parameter in module.named_parameters() if name in LEARNT else ():
        moments = {moment: parts[f"{key}.{moment}"] for moment in _MOMENTS}
        _optimizer(module).state[parameter] = {"step": torch.tensor(float(updates)), **moments}


def _optimizer(module: Any) -> Any:
    """Of one of stable-baselines3's parts, its own."""
    return module.optimizer
