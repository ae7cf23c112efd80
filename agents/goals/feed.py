"""What is played for a learner, chunk by chunk, and the scale of what is seen in it."""

from collections.abc import Iterable

import numpy as np
import torch

from simworld.agents.goals.goal_settings import GoalSettings
from simworld.agents.goals.play_process import Exploration, PlayProcesses
from simworld.agents.goals.played import Actor, Float, Played
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.policy import Seen

Layers = tuple[tuple[Float, Float], ...]
"""Weights and biases."""

_LEAST_STD = 1e-2
"""Of a feature, as it is divided by."""


class Feed:
    """What is played for a learner, and how features are normalized by all that was."""

    def __init__(self, processes: PlayProcesses, settings: GoalSettings, policy: NetworkPolicy) -> None:
        self._processes, self._settings, self._policy = processes, settings, policy
        self.episodes, self.count, self.sums, self.squares = 0, 0, np.zeros(1), np.zeros(1)

    def take(self, layers: Layers, left: float) -> list[Played]:
        """The episodes that ended in the last chunk; the next is begun, with the share `left` of all steps to come."""
        played = self._processes.take()
        self.episodes += len(played)
        self.learn_scale(played)
        self.ask(layers, left)
        return played

    def ask(self, layers: Layers, left: float) -> None:
        """Have a chunk of steps played by a network of such layers."""
        settings, network, actor = self._settings, self._policy.network, None
        if self.episodes:  # before that everything is tried
            actor = Actor(layers, network.mean.numpy().copy(), network.std.numpy().copy())
        restarts = settings.last_restarts + left * (settings.restarts - settings.last_restarts)
        done = 1.0 - left
        nominal, elsewhere = (
            max(1.0 - done / part, 0.0) if part else 0.0 for part in (settings.nominal, settings.elsewhere)
        )
        exploring = Exploration(
            epsilon=settings.epsilon,
            noise=settings.noise,
            restarts=restarts,
            early=settings.early,
            nominal=nominal,
            easier=settings.easier[min(int((1.0 - nominal) * len(settings.easier)), len(settings.easier) - 1)],
            quiet=settings.quiet,
            place_only=settings.place_only,
            elsewhere=elsewhere,
            coarse=done < settings.coarse,
        )
        self._processes.ask(actor, exploring, settings.chunk)

    def learn_scale(self, played: Iterable[Played]) -> None:
        """Have features normalized by those of some more episodes, too."""
        for episode in played:
            desired = np.broadcast_to(episode.desired, episode.achieved.shape)
            told = self._policy.features(Seen(episode.observations, episode.achieved, desired)).astype(np.float64)
            self.count += len(told)
            self.sums, self.squares = self.sums + told.sum(0), self.squares + (told**2).sum(0)
        self.normalize()

    def normalize(self) -> None:
        """Give the policy what features are normalized by."""
        if self.count:
            mean = self.sums / self.count
            std = np.sqrt(np.maximum(self.squares / self.count - mean**2, 0.0)).clip(_LEAST_STD)
            network = self._policy.network
            for numbers, found in ((network.mean, mean), (network.std, std)):
                numbers.copy_(torch.from_numpy(found.astype(np.float32)))
