"""Flow matching: a network learns how noise moves to what an expert did (Lipman et al. 2022, arXiv:2210.02747).

So it may do one or the other where an expert does either, of which regression does what is between.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from simworld.agents.imitation.cloning import Cloning
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.policy import checked_action, observed

STEPS = 10
"""From noise to an action (Euler)."""


class Flow(nn.Module):
    """The velocity at which noise moves to an action, by the layers of a policy that is regressed."""

    def __init__(self, like: NetworkPolicy, seed: int) -> None:
        super().__init__()
        self._like, self._action = like, like.architecture.interface.action
        self._seed = seed
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in like.network.body:
                if isinstance(layer, nn.Linear):
                    more = 0 if layers else self._action + 1  # where it is, and when
                    layers.append(nn.Linear(layer.in_features + more, layer.out_features))
                else:
                    layers.append(nn.ReLU())
        self.body = nn.Sequential(*layers)

    def forward(self, told: torch.Tensor, at: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        """The velocity (n, size) at places (n, size) and times (n, 1) from 0 to 1."""
        velocity: torch.Tensor = self.body(torch.cat([told, at, when], dim=1))
        return velocity

    def act(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Some action for what is observed, the same again for the same."""
        seen = observed(observation, self._like.architecture.interface)
        noise = np.random.default_rng((self._seed, zlib.crc32(seen.observation.tobytes())))
        with torch.no_grad():
            told = self._like.network.told(torch.from_numpy(self._like.features(seen)[None]))
            at = torch.from_numpy(noise.standard_normal((1, self._action)).astype(np.float32))
            for k in range(STEPS):
                at = at + self(told, at, torch.full((1, 1), k / STEPS)) / STEPS
        return checked_action(at[0].clamp(-1, 1).numpy(), self._action, seen, "the flow")


def fit_flow(training: Cloning, progress: Callable[[int], None] = lambda _: None) -> Flow:
    """A flow of what an expert did, with the layers, normalization, passes and schedule of a training that regresses.

    `progress` is told how many passes are done.
    """
    settings, like = training.settings, training.policy
    flow, generator = Flow(like, settings.seed), torch.Generator().manual_seed(settings.seed)
    features, actions = training.learnt_from()
    inputs = like.network.told(features)
    optimizer, schedule = training.optimizer(flow)
    loss_of = nn.MSELoss()
    for number in range(settings.epochs):
        for batch in torch.split(torch.randperm(len(actions), generator=generator), settings.batch_size):
            noise = torch.randn(len(batch), actions.shape[1], generator=generator)
            when = torch.rand(len(batch), 1, generator=generator)
            at = (1 - when) * noise + when * actions[batch]
            loss = loss_of(flow(inputs[batch], at, when), actions[batch] - noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        progress(number + 1)
    return flow
