"""Behaviour cloning: a small network learns the expert's action from the observation (Pomerleau 1989).

The demonstrations are collected with noise in the executed actions while the labels stay the expert's (DART, Laskey et
al. 2017), so that the network also sees, and learns to mend, the states its own errors lead to.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, ValidationError
from torch import nn

from simworld.agents.imitation.demonstrations import Transitions, check_demonstrations
from simworld.agents.networks.network import LEAST_STD, Architecture, NetworkPolicy, check_shapes, to_arrays, to_torch
from simworld.agents.networks.stored import Tensors, read_stored, write_stored
from simworld.agents.policy import Seen
from simworld.agents.settings import Hidden, Layers, LearningRate, Real, RootSeed, Settings, Whole
from simworld.datasets.splits import hold_out
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, TrainingError
from simworld.plain import Plain, describe

NotNegative = Annotated[float, Field(ge=0)]

HELD_OUT = 0.1
"""The share of the steps that nothing is learnt from, of scenes of their own."""

MOST_RATIO = 256
"""Of Adam's first moment squared to its second: 0.15**2 / 0.001 / (1 - 0.95**2 / 0.999) = 233 by Cauchy and Schwarz, as
the schedule keeps the momentum from 0.85 to 0.95, and a little for rounding."""


class CloningSettings(Settings):
    """Settings of behaviour cloning of a policy for an interface."""

    interface: Interface
    hidden: Hidden = 256
    layers: Layers = 3
    epochs: Annotated[Whole, Field(ge=1, le=100_000)] = 40
    batch_size: Annotated[Whole, Field(ge=1)] = 512
    learning_rate: LearningRate = 1e-3
    weight_decay: Annotated[Real, Field(ge=0, le=1)] = 1e-5
    seed: RootSeed = 0

    @property
    def architecture(self) -> Architecture:
        """The network to train."""
        return Architecture(kind="cloning", interface=self.interface, hidden=self.hidden, layers=self.layers)


class Epoch(Plain):
    """The mean loss (Huber) over an epoch, and that of the steps held out after it."""

    loss: NotNegative
    held_out: NotNegative


class _Checkpoint(Plain):
    """What is not a tensor of a training after some epochs; `data` is the digest of what it learns from."""

    checkpoint_version: Literal[3] = 3
    settings: CloningSettings
    data: str
    epochs: Annotated[tuple[Epoch, ...], Field(min_length=1)]


def clone(
    data: Transitions,
    settings: CloningSettings,
    progress: Callable[[int, Epoch], None] | None = None,
    checkpoint: Path | None = None,
) -> NetworkPolicy:
    """Fit a policy to an expert's actions.

    HELD_OUT of the steps, as near as whole groups allow, are held out. `progress` is told the number of every epoch,
    from 1, and how it went. The same data and settings give the same policy, on one machine, and so they do where the
    training was stopped: with a `checkpoint`, every epoch is kept in that file, and if it is there, the training goes
    on from it. TrainingError if the training diverges.
    """
    training = Cloning(data, settings)
    tell = progress or (lambda number, epoch: None)
    if checkpoint is not None and checkpoint.exists():
        training.restore(checkpoint)
    for number, epoch in enumerate(training.epochs, 1):
        tell(number, epoch)
    while len(training.epochs) < settings.epochs:
        training.run_epoch()
        if checkpoint is not None:
            training.save(checkpoint)
        tell(len(training.epochs), training.epochs[-1])
    return training.policy


class Cloning:
    """A training that can stop between any two epochs and go on later, to the same bits."""

    def __init__(self, data: Transitions, settings: CloningSettings) -> None:
        self.settings, self.epochs = settings, list[Epoch]()
        self.policy = NetworkPolicy(settings.architecture, settings.model_dump(), settings.seed)
        check_demonstrations(settings.interface, data)
        # No feature is of what is achieved.
        inputs = self.policy.features(Seen(data.observations, data.goals, data.goals))
        self._inputs, self._labels = torch.from_numpy(inputs), torch.from_numpy(data.actions)
        self._digest = data.digest()
        self._train, self._test = map(torch.tensor, hold_out(data.groups, HELD_OUT))
        network = self._network = self.policy.network
        network.mean.copy_(self._inputs[self._train].mean(0))
        network.std.copy_(self._inputs[self._train].std(0, correction=0).clamp_min(LEAST_STD))
        self._loss_of = nn.SmoothL1Loss(beta=0.1)
        self._batches = math.ceil(len(self._train) / settings.batch_size)
        self._optimizer, self._schedule = self.optimizer(network)
        self._generator = torch.Generator().manual_seed(settings.seed)

    def optimizer(self, network: nn.Module) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.OneCycleLR]:
        """What learns the weights of a network in all epochs, and its schedule."""
        rate, decay = self.settings.learning_rate, self.settings.weight_decay
        optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
        steps = self.settings.epochs * self._batches
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)

    def learnt_from(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The features (n, inputs) and actions (n, size) of the steps that are not held out."""
        return self._inputs[self._train], self._labels[self._train]

    def run_epoch(self) -> None:
        """Learn from every transition once; TrainingError if the loss is no longer finite."""
        total = 0.0
        for batch in torch.split(self._train[self._order()], self.settings.batch_size):
            loss = self._loss_of(self._network(self._inputs[batch]), self._labels[batch])
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
            total += loss.item() * len(batch)
        held_out = self._held_out()
        if not math.isfinite(total) or not math.isfinite(held_out):
            number = len(self.epochs) + 1
            raise TrainingError(
                f"the training diverged in epoch {number}: its loss is not finite; lower its learning rate"
            )
        self.epochs.append(Epoch(loss=total / len(self._train), held_out=held_out))

    def save(self, path: Path) -> None:
        """Write what it takes to go on, atomically."""
        document = _Checkpoint(settings=self.settings, data=self._digest, epochs=tuple(self.epochs))
        write_stored(path, document.model_dump(), to_arrays(self._tensors()))

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote; ConfigurationError if it is something else, or of other settings or data."""
        content, tensors = read_stored(path)
        try:
            kept = _Checkpoint.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is no checkpoint: {describe(error)}") from None
        if (kept.settings, kept.data) != (self.settings, self._digest) or len(kept.epochs) > self.settings.epochs:
            raise ConfigurationError(f"{path} is of another training; remove it to begin again")
        self._go_to(len(kept.epochs))
        own = self._tensors()
        check_shapes(path, tensors, own)
        _check_moments(path, tensors)
        with torch.no_grad():
            for name, tensor in to_torch(tensors).items():
                own[name].copy_(tensor)
        if not math.isclose(found := self._held_out(), kept.epochs[-1].held_out, rel_tol=1e-3, abs_tol=1e-9):
            raise ConfigurationError(
                f"{path} is broken: its loss on what is held out must be {kept.epochs[-1].held_out}, got {found}; "
                "remove it to begin again"
            )
        self.epochs = list(kept.epochs)

    def _go_to(self, epochs: int) -> None:
        """Put everything where it is after some epochs but the parameters and their moments."""
        # One step of the optimizer makes the state that the tensors of a checkpoint go into.
        for parameter in self._network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._optimizer.step()
        steps = epochs * self._batches
        for state in self._optimizer.state.values():
            state["step"].fill_(steps)
        self._schedule.load_state_dict(self._schedule.state_dict() | {"last_epoch": steps - 1, "_step_count": steps})
        self._schedule.step()
        for _ in range(epochs):
            self._order()

    def _order(self) -> torch.Tensor:
        return torch.randperm(len(self._train), generator=self._generator)

    def _held_out(self) -> float:
        with torch.no_grad():
            return float(self._loss_of(self._network(self._inputs[self._test]), self._labels[self._test]))

    def _tensors(self) -> dict[str, torch.Tensor]:
        """What neither the settings nor the data give: the network's parameters, and their moments."""
        tensors: dict[str, torch.Tensor] = {}
        for name, parameter in self._network.named_parameters():
            state = self._optimizer.state[parameter]
            tensors[name] = parameter
            tensors |= {f"optimizer.{name}.{key}": state[key] for key in ("exp_avg", "exp_avg_sq")}
        return tensors


def _check_moments(path: Path, tensors: Tensors) -> None:
    """Raise ConfigurationError where the moments of a parameter cannot be of one training: it would diverge."""
    for name, second in tensors.items():
        if name.endswith(".exp_avg_sq"):
            first = tensors[name.removesuffix("_sq")].astype(np.float64)
            if not ((second >= 0) & (first**2 <= MOST_RATIO * second + 1e-12)).all():
                raise ConfigurationError(
                    f"{path} cannot be used: the tensor {name!r} must be at least 0, and exp_avg**2 / {MOST_RATIO}"
                )
