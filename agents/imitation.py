"""Behaviour cloning: a small network learns the expert's action from the observation (Pomerleau 1989).

The demonstrations are collected with noise in the executed actions while the labels stay the expert's (DART, Laskey et
al. 2017), so that the network also sees, and learns to mend, the states its own errors lead to.
"""

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from simworld.datasets.folder import write_bytes
from simworld.envs.tasks import TASKS, field_slices
from simworld.errors import ConfigurationError

Float = NDArray[np.float32]


@dataclass(frozen=True)
class CloningSettings:
    """Settings of behaviour cloning; `task` is a key of `simworld.envs.tasks.TASKS`."""

    task: str
    hidden: int = 256
    layers: int = 3
    epochs: int = 60
    batch_size: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    seed: int = 0


class CloningPolicy:
    """A network over normalized features of the observation."""

    def __init__(self, settings: CloningSettings) -> None:
        self.settings = settings
        task = TASKS[settings.task]
        self._fields = field_slices(task)
        blank = np.zeros(sum(task.fields.values()), np.float32), np.zeros(task.goal_size, np.float32)
        # torch draws initial weights from its global generator, which is left as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = _Network(self.features(*blank).shape[-1], settings)

    def features(self, observation: Float, goal: Float) -> Float:
        """Network inputs (..., n): the observation, the goal, and where object and goal are from the tool."""
        tool = observation[..., self._fields["tool_position"]]
        parts = [observation, goal[..., :3] - tool]
        if "object_position" in self._fields:
            thing = observation[..., self._fields["object_position"]]
            parts += [thing - tool, goal[..., :3] - thing]
        return np.concatenate(parts, axis=-1)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Float:
        """The action (4,) for an observation."""
        inputs = self.features(observation["observation"], observation["desired_goal"])
        with torch.no_grad():
            action: Float = self.network(torch.from_numpy(inputs)).clamp(-1, 1).numpy()
        return action

    def save(self, path: Path) -> None:
        """Write the settings and weights, atomically."""
        buffer = io.BytesIO()
        torch.save({"settings": json.dumps(asdict(self.settings)), "weights": self.network.state_dict()}, buffer)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "CloningPolicy":
        """Read what `save` wrote; ConfigurationError if it is something else."""
        try:
            stored = torch.load(path, weights_only=True)
            policy = cls(CloningSettings(**json.loads(stored["settings"])))
            policy.network.load_state_dict(stored["weights"])
        except Exception as error:
            raise ConfigurationError(f"{path} is not a policy saved by behaviour cloning: {error}") from None
        return policy


class _Network(nn.Module):
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, inputs: int, settings: CloningSettings) -> None:
        super().__init__()
        sizes = [inputs, *[settings.hidden] * settings.layers]
        layers: list[nn.Module] = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Linear(sizes[-1], 4))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("std", torch.ones(inputs))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Actions (n, 4) before clipping, from features (n, inputs)."""
        actions: torch.Tensor = self.body((inputs - self.mean) / self.std)
        return actions


def clone(
    observations: Float,
    goals: Float,
    actions: Float,
    settings: CloningSettings,
    progress: Callable[[int, float, float], None] | None = None,
) -> CloningPolicy:
    """Fit a policy to expert actions (n, 4) at observations (n, d) and goals (n, g).

    Every tenth transition is held out. `progress` is told the epoch, the training and the held-out loss (Huber). The
    same data and settings give the same policy, on one machine.
    """
    policy = CloningPolicy(settings)
    network = policy.network
    inputs, labels = torch.from_numpy(policy.features(observations, goals)), torch.from_numpy(actions)
    held = torch.arange(len(inputs)) % 10 == 0
    train, test = torch.nonzero(~held).squeeze(1), torch.nonzero(held).squeeze(1)
    network.mean.copy_(inputs[train].mean(0))
    network.std.copy_(inputs[train].std(0).clamp_min(1e-3))
    loss_of = nn.SmoothL1Loss(beta=0.1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * math.ceil(len(train) / settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
    generator = torch.Generator().manual_seed(settings.seed)
    for epoch in range(settings.epochs):
        total = 0.0
        for batch in torch.split(train[torch.randperm(len(train), generator=generator)], settings.batch_size):
            loss = loss_of(network(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        if progress is not None:
            with torch.no_grad():
                progress(epoch + 1, total / len(train), loss_of(network(inputs[test]), labels[test]).item())
    return policy
