"""How a network learns: one loop for all of them, that can stop at any time and goes on to the same bits."""

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import torch
from pydantic import Field, ValidationError, model_validator
from torch import nn

from simworld.agents.learning.kept_memory import keep_memory
from simworld.agents.learning.learners import Learners, LearningNetwork, numbers_of
from simworld.agents.learning.muon import Muon
from simworld.agents.networks.network import check_shapes, to_arrays, to_torch
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.settings import LearningRate, Real, RootSeed, Settings, Whole
from simworld.errors import ConfigurationError, TrainingError
from simworld.plain import Plain, describe

Network = TypeVar("Network", bound=LearningNetwork)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class LearningSettings(Settings):
    """How long and how fast a network learns.

    `average` is how much a step keeps of the average of all weights so far, which is what is stored; `precision` that
    of convolutions while learning. A batch is learnt from in so many equal `parts` side by side, each
    normalized by its own statistics, among which torch's threads are divided. The `optimizer` "muon" is for
    convolutions of more than one output; all other weights are AdamW's.
    """

    steps: Annotated[Whole, Field(ge=1, le=10_000_000)] = 6000
    batch_size: Annotated[Whole, Field(ge=1, le=1024)] = 32
    learning_rate: LearningRate = 5e-3
    weight_decay: Annotated[Real, Field(ge=0, le=1)] = 0.02
    optimizer: Literal["adamw", "muon"] = "adamw"
    average: Annotated[Real, Field(ge=0, lt=1)] = 0.998
    precision: Literal["float32", "bfloat16"] = "float32"
    parts: Annotated[Whole, Field(ge=1, le=64)] = 2
    seed: RootSeed = 0

    @model_validator(mode="after")
    def _equal_parts(self) -> Self:
        if self.batch_size % self.parts:
            raise ConfigurationError(
                f"batch_size: must be divisible into {self.parts} equal parts, got {self.batch_size}"
            )
        return self


_MOST_BYTES = 2**31
"""Of a checkpoint, which holds a network four times."""


class _Checkpoint(Plain):
    """What is not a tensor of a training after some steps."""

    checkpoint_version: Literal[1] = 1
    settings: dict[str, Any]
    data: str
    steps: int


def best_precision() -> Literal["float32", "bfloat16"]:
    """The quicker one on this machine: bfloat16 where its processor computes with it."""
    computes = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)  # not emulated, which is slower
    return "bfloat16" if torch.backends.mkldnn.is_available() and computes() else "float32"  # type: ignore[no-untyped-call]


class NetworkTraining(Generic[Network]):
    """A training of a network that can stop between any two steps and go on later; `data` says what it learns from."""

    def __init__(self, network: Network, settings: LearningSettings, data: str) -> None:
        keep_memory()
        self.settings, self.steps, self._data = settings, 0, data
        self.network, self.averaged = network, copy.deepcopy(network)
        self._learners = Learners(network, settings.parts, DTYPES[settings.precision])
        self._optimizers = _optimizers(network, settings)

    def step(self, parts: Sequence[Any]) -> dict[str, float]:
        """Learn from the parts of a batch: their mean losses. TrainingError where these are not finite."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._rate()
        losses = self._learners.learn(parts)
        if not math.isfinite(sum(losses.values())):
            raise TrainingError(
                f"the training diverged at step {self.steps}: its loss is not finite; lower its learning rate"
            )
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self._change()
        self.steps += 1
        self._average()
        return losses

    def close(self) -> None:
        """End its threads."""
        self._learners.close()

    def save(self, path: Path) -> None:
        """Write what it takes to go on, atomically."""
        document = _Checkpoint(settings=self.settings.model_dump(mode="json"), data=self._data, steps=self.steps)
        write_stored(path, document.model_dump(mode="json"), to_arrays(self._tensors()))

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote; ConfigurationError if it is something else, or of other settings or data."""
        content, tensors = read_stored(path, _MOST_BYTES)
        try:
            kept = _Checkpoint.model_validate(content)
            settings = type(self.settings).model_validate(kept.settings)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is no checkpoint of such a training: {describe(error)}") from None
        if (settings, kept.data) != (self.settings, self._data) or kept.steps > self.settings.steps:
            raise ConfigurationError(f"{path} is of another training; remove it to begin again")
        # One step of the optimizers makes the state that the tensors of a checkpoint go into.
        for parameter in self.network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._change()
        for optimizer in self._optimizers:
            for state in optimizer.state.values():
                if "step" in state:
                    state["step"].fill_(kept.steps)
        own = self._tensors()
        check_shapes(path, tensors, own)
        with torch.no_grad():
            for name, tensor in to_torch(tensors).items():
                own[name].copy_(tensor)
        self.steps = kept.steps

    def _change(self) -> None:
        for optimizer in self._optimizers:
            optimizer.step()

    def _rate(self) -> float:
        """Up in the first twentieth, then down as a cosine (Smith and Topin 2018)."""
        done = self.steps / self.settings.steps
        share = done / 0.05 if done < 0.05 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.05) / 0.95)
        return self.settings.learning_rate * max(share, 1e-3)

    def _average(self) -> None:
        keep = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        mean, now = ([*numbers_of(network).values()] for network in (self.averaged, self.network))
        with torch.no_grad():
            torch._foreach_lerp_(mean, now, 1 - keep)

    def _tensors(self) -> dict[str, torch.Tensor]:
        """What the settings do not give."""
        tensors: dict[str, torch.Tensor] = {}
        for kind, network in (("network", self.network), ("averaged", self.averaged)):
            tensors |= {f"{kind}.{name}": values for name, values in numbers_of(network).items()}
        for name, parameter in self.network.named_parameters():
            for optimizer in self._optimizers:
                state = optimizer.state.get(parameter, {})
                tensors |= {f"optimizer.{name}.{key}": state[key] for key in state if key != "step"}
        return tensors


def _optimizers(network: nn.Module, settings: LearningSettings) -> list[torch.optim.Optimizer]:
    rate, decay = settings.learning_rate, settings.weight_decay
    fused = next(network.parameters()).device.type in ("cpu", "cuda")
    matrices, others = list[nn.Parameter](), list[nn.Parameter]()
    for each in network.parameters():
        matrix = settings.optimizer == "muon" and each.dim() == 4 and len(each) > 1
        (matrices if matrix else others).append(each)
    adam = torch.optim.AdamW(others, lr=rate, weight_decay=decay, fused=fused)
    return [adam, Muon(matrices, rate, decay)] if matrices else [adam]
