"""Behaviour cloning: a small network learns the expert's action from the observation (Pomerleau 1989).

The demonstrations are collected with noise in the executed actions while the labels stay the expert's (DART, Laskey et
al. 2017), so that the network also sees, and learns to mend, the states its own errors lead to.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import nn

from simworld.agents.network import Architecture, NetworkPolicy, check_shapes, sizes_of, to_arrays, to_torch
from simworld.agents.policy import Seen
from simworld.agents.settings import Hidden, Layers, LearningRate, Real, RootSeed, Settings, Whole
from simworld.agents.stored import read_stored, write_stored
from simworld.errors import ConfigurationError, TrainingError
from simworld.scene.plain import Plain, describe

Float = NDArray[np.float32]

FEWEST = 3
"""Transitions: one is held out, and a standard deviation takes two more."""


class CloningSettings(Settings):
    """Settings of behaviour cloning; `task` is a key of `simworld.envs.tasks.TASKS`."""

    task: str
    hidden: Hidden = 256
    layers: Layers = 3
    epochs: Annotated[Whole, Field(ge=1, le=100_000)] = 60
    batch_size: Annotated[Whole, Field(ge=1)] = 512
    learning_rate: LearningRate = 1e-3
    weight_decay: Annotated[Real, Field(ge=0, le=1)] = 1e-5
    seed: RootSeed = 0

    @property
    def architecture(self) -> Architecture:
        """The network to train; an unknown task raises ConfigurationError."""
        return Architecture(kind="cloning", task=self.task, hidden=self.hidden, layers=self.layers)


class Epoch(Plain):
    """The mean loss (Huber) over an epoch, that of the transitions held out after it, and the seconds it took."""

    loss: float
    held_out: float
    seconds: float


class _Checkpoint(Plain):
    """What is not a tensor of a training after some epochs: the schedule's rates are those of the next step."""

    checkpoint_version: Literal[1] = 1
    settings: CloningSettings
    rate: float
    momentum: float
    epochs: tuple[Epoch, ...]


def clone(
    observations: Float,
    goals: Float,
    actions: Float,
    settings: CloningSettings,
    progress: Callable[[int, Epoch], None] | None = None,
    checkpoint: Path | None = None,
) -> NetworkPolicy:
    """Fit a policy to expert actions (n, 4) at observations (n, d) and goals (n, g).

    Every tenth transition is held out. `progress` is told the number of every epoch, from 1, and how it went. The same
    data and settings give the same policy, on one machine, and so they do where the training was stopped: with a
    `checkpoint`, every epoch is kept in that file, and if it is there, the training goes on from it. TrainingError if
    the training diverges.
    """
    training = Cloning(observations, goals, actions, settings)
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

    def __init__(self, observations: Float, goals: Float, actions: Float, settings: CloningSettings) -> None:
        self.settings, self.epochs = settings, list[Epoch]()
        self.policy = NetworkPolicy(settings.architecture, settings.model_dump(), settings.seed)
        check_demonstrations(settings.task, observations, goals, actions)
        inputs = self.policy.features(Seen(observations, goals, goals))  # no feature is of what is achieved
        self._inputs, self._labels = torch.from_numpy(inputs), torch.from_numpy(actions)
        held = torch.arange(len(inputs)) % 10 == 0
        self._train, self._test = torch.nonzero(~held).squeeze(1), torch.nonzero(held).squeeze(1)
        network = self._network = self.policy.network
        network.mean.copy_(self._inputs[self._train].mean(0))
        network.std.copy_(self._inputs[self._train].std(0).clamp_min(1e-3))
        self._loss_of = nn.SmoothL1Loss(beta=0.1)
        rate, decay = settings.learning_rate, settings.weight_decay
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
        self._batches = math.ceil(len(self._train) / settings.batch_size)
        steps = settings.epochs * self._batches
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, rate, total_steps=steps)
        self._generator = torch.Generator().manual_seed(settings.seed)

    def run_epoch(self) -> None:
        """Learn from every transition once; TrainingError if the loss is no longer finite."""
        begin, total = time.perf_counter(), 0.0
        for batch in torch.split(self._train[self._order()], self.settings.batch_size):
            loss = self._loss_of(self._network(self._inputs[batch]), self._labels[batch])
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
            total += loss.item() * len(batch)
        with torch.no_grad():
            held_out = self._loss_of(self._network(self._inputs[self._test]), self._labels[self._test]).item()
        if not math.isfinite(total) or not math.isfinite(held_out):
            number = len(self.epochs) + 1
            raise TrainingError(
                f"the training diverged in epoch {number}: its loss is not finite; lower its learning rate"
            )
        loss, seconds = total / len(self._train), time.perf_counter() - begin
        self.epochs.append(Epoch(loss=loss, held_out=held_out, seconds=seconds))

    def save(self, path: Path) -> None:
        """Write what it takes to go on, atomically."""
        group = self._optimizer.param_groups[0]
        rate, (momentum, _) = group["lr"], group["betas"]
        document = _Checkpoint(settings=self.settings, rate=rate, momentum=momentum, epochs=tuple(self.epochs))
        write_stored(path, document.model_dump(), to_arrays(self._tensors()))

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote; ConfigurationError if it is something else or of other settings."""
        content, tensors = read_stored(path)
        try:
            kept = _Checkpoint.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is no checkpoint: {describe(error)}") from None
        if kept.settings != self.settings or len(kept.epochs) > self.settings.epochs:
            raise ConfigurationError(f"{path} is of another training; remove it to begin again")
        # One step of the optimizer makes the state that the tensors of the file go into.
        for parameter in self._network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._optimizer.step()
        own = self._tensors()
        check_shapes(path, tensors, own)
        with torch.no_grad():
            for name, values in to_torch(tensors).items():
                own[name].copy_(values)
        for _ in kept.epochs:
            self._order()
        steps = len(kept.epochs) * self._batches
        self._schedule.load_state_dict(self._schedule.state_dict() | {"last_epoch": steps, "_step_count": steps + 1})
        group = self._optimizer.param_groups[0]
        group["lr"], group["betas"] = kept.rate, (kept.momentum, group["betas"][1])
        self.epochs = list(kept.epochs)

    def _order(self) -> torch.Tensor:
        return torch.randperm(len(self._train), generator=self._generator)

    def _tensors(self) -> dict[str, torch.Tensor]:
        """The network's tensors, and the optimizer's of each of its parameters."""
        tensors = dict(self._network.state_dict())
        for name, parameter in self._network.named_parameters():
            for key, values in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = values
        return tensors


def check_demonstrations(task: str, observations: Float, goals: Float, actions: Float) -> None:
    """Raise ConfigurationError unless a policy for a task can be fitted to these, as `clone` describes them."""
    sizes = sizes_of(task)
    given = {
        "observations": (observations, sizes.observation),
        "goals": (goals, sizes.goal),
        "actions": (actions, sizes.action),
    }
    for name, (values, size) in given.items():
        if values.shape != (len(observations), size):
            raise ConfigurationError(f"{name}: must be ({len(observations)}, {size}), got {values.shape}")
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise ConfigurationError(f"{name}: must be finite float32 numbers, got {values.dtype}")
    if len(observations) < FEWEST:
        raise ConfigurationError(f"demonstrations: must have at least {FEWEST} steps, got {len(observations)}")
