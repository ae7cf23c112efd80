"""Learning to reach goals without demonstrations, in minutes on two cores.

A process plays in several environments while stable-baselines3 learns beside it, with few updates a step, in hindsight.
What is played in a chunk of steps is played by the network as it was before the chunk: the same seed gives the same
training, however fast either of the two is.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import torch
from pydantic import Field
from stable_baselines3 import TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import RolloutReturn
from stable_baselines3.common.utils import polyak_update
from torch import nn
from torch.nn import functional

from simworld.agents.network import Architecture, NetworkPolicy
from simworld.agents.policy import Seen
from simworld.agents.reinforcement.hindsight import HindsightBuffer
from simworld.agents.reinforcement.played import Actor, Played
from simworld.agents.reinforcement.rollouts import Exploration, Rollouts
from simworld.agents.reinforcement.training import TRAINING_SEEDS
from simworld.agents.settings import Hidden, Layers, LearningRate, Real, RootSeed, Settings, Whole
from simworld.envs.config import EnvConfig
from simworld.envs.terms import reached
from simworld.errors import ConfigurationError

Share = Annotated[Real, Field(ge=0, le=1)]

_LEAST_STD = 1e-2
"""Of a feature, as it is divided by."""
_SEEDS = 1000
"""Root seeds of the environments of a training: those of the next one follow them."""


class GoalSettings(Settings):
    """How long is learnt, and how: DDPG (Lillicrap et al. 2016) in hindsight (Andrychowicz et al. 2017).

    `steps` are those of all `envs` together; after every `chunk` of steps in each there are `updates` for each step, of
    `batch_size` steps of the latest `kept`. Large actions cost `penalty`. Of what is played, `epsilon` of the actions
    are drawn at random and the others have `noise`; the share `again` of episodes, and in the end `again_last`, begins
    where something was held before. `hindsight` is the share of goals that were achieved later.
    """

    steps: Annotated[Whole, Field(ge=1)] = 600_000
    envs: Annotated[Whole, Field(ge=1, le=_SEEDS)] = 16
    chunk: Annotated[Whole, Field(ge=1)] = 20
    updates: Annotated[Real, Field(gt=0, le=16)] = 0.05
    batch_size: Annotated[Whole, Field(ge=2)] = 256
    kept: Annotated[Whole, Field(ge=1000)] = 500_000
    hidden: Hidden = 256
    layers: Layers = 3
    learning_rate: LearningRate = 1e-3
    discount: Annotated[Real, Field(ge=0, lt=1)] = 0.98
    follow: Annotated[Real, Field(gt=0, le=1)] = 0.005
    penalty: Annotated[Real, Field(ge=0)] = 1.0
    epsilon: Share = 0.3
    noise: Annotated[Real, Field(ge=0)] = 0.2
    again: Share = 0.5
    again_last: Share = 0.2
    hindsight: Share = 0.8
    seed: RootSeed = 0


Tell = Callable[[int, NetworkPolicy], bool]


def learn_goals(config: EnvConfig, settings: GoalSettings, tell: Tell, every: int = 20_000) -> NetworkPolicy:
    """A policy that learns from nothing in environments of a configuration.

    `tell` hears of it after every so many steps, and says whether it is to stop. ConfigurationError where goals do not
    say what is rewarded, TrainingError where the training diverges.
    """
    reward = config.task.reward[config.reward]
    if config.task.success != reached() or not reward.of_goals:
        raise ConfigurationError(
            f"reward: ddpg learns in hindsight, which needs the success `reached()` and a reward that goals alone say, "
            f"such as `sparse()`; {config.task.name!r} has {config.task.success!r} and {reward!r}"
        )
    architecture = Architecture(
        kind="hindsight", interface=config.interface, hidden=settings.hidden, layers=settings.layers
    )
    policy = NetworkPolicy(architecture, settings.model_dump(), settings.seed)
    rollouts = Rollouts(config, settings.envs, TRAINING_SEEDS + _SEEDS * settings.seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the other core plays
    try:
        learner = _Learner(_Feed(rollouts, settings, policy), settings, policy, config)
        learner.learn(settings.steps, callback=_Telling(policy, tell, every))
        learner.export(policy)
    finally:
        torch.set_num_threads(threads)
        rollouts.close()
    return policy


class _Feed:
    """What is played for a learner, and how features are normalized by all that was."""

    def __init__(self, rollouts: Rollouts, settings: GoalSettings, policy: NetworkPolicy) -> None:
        self._rollouts, self._settings, self._policy = rollouts, settings, policy
        self._asked: Future[list[Played]] | None = None
        self._count, self._sum, self._squares = 0, np.zeros(1), np.zeros(1)

    def take(self, learner: "_Learner", left: float) -> list[Played]:
        """The episodes that ended in the last chunk; the next chunk is begun, of which the share `left` of all is."""
        settings, network = self._settings, self._policy.network
        again = settings.again_last + left * (settings.again - settings.again_last)
        exploring = Exploration(settings.epsilon, settings.noise, again)
        asked = self._asked or self._rollouts.play(None, exploring, settings.chunk)
        played = asked.result()
        self._normalize(played)
        actor = Actor(learner.layers(), network.mean.numpy().copy(), network.std.numpy().copy())
        self._asked = self._rollouts.play(actor if self._count else None, exploring, settings.chunk)
        return played

    def _normalize(self, played: list[Played]) -> None:
        for episode in played:
            desired = np.broadcast_to(episode.desired, episode.achieved.shape)
            told = self._policy.features(Seen(episode.observations, episode.achieved, desired)).astype(np.float64)
            self._count += len(told)
            self._sum, self._squares = self._sum + told.sum(0), self._squares + (told**2).sum(0)
        if self._count:
            mean = self._sum / self._count
            std = np.sqrt(np.maximum(self._squares / self._count - mean**2, 0.0)).clip(_LEAST_STD)
            network = self._policy.network
            for numbers, found in ((network.mean, mean), (network.std, std)):
                numbers.copy_(torch.from_numpy(found.astype(np.float32)))


class _Learner(TD3):
    """DDPG whose steps are played elsewhere while it learns from those before."""

    def __init__(self, feed: _Feed, settings: GoalSettings, policy: NetworkPolicy, config: EnvConfig) -> None:
        self._feed, self._settings, self._own = feed, settings, policy
        low, high = config.task.reward[config.reward].bounds
        self._values = min(low, 0.0) / (1.0 - settings.discount), max(high, 0.0) / (1.0 - settings.discount)
        buffer = {"features": policy.features, "hindsight": settings.hindsight, "seed": settings.seed}
        super().__init__(
            "MlpPolicy",
            _Nowhere(len(policy.network.mean), config.interface.action),
            learning_rate=settings.learning_rate,
            buffer_size=settings.kept,
            learning_starts=0,
            batch_size=settings.batch_size,
            tau=settings.follow,
            gamma=settings.discount,
            gradient_steps=max(1, round(settings.updates * settings.chunk * settings.envs)),
            replay_buffer_class=HindsightBuffer,
            replay_buffer_kwargs=buffer | {"config": config},
            policy_kwargs={"net_arch": [settings.hidden] * settings.layers, "n_critics": 1},
            seed=settings.seed,
            device="cpu",
        )

    def layers(self) -> tuple[tuple[Any, Any], ...]:
        """Weights and biases of what acts, as arrays of their own."""
        numbers = [[n.detach().numpy().copy() for n in (layer.weight, layer.bias)] for layer in self._linear()]
        return tuple((weight, bias) for weight, bias in numbers)

    def export(self, policy: NetworkPolicy) -> None:
        """Give a policy what acts of it; TrainingError where that is not finite."""
        own = [layer for layer in policy.network.body if isinstance(layer, nn.Linear)]
        for mine, other in zip(own, self._linear(), strict=True):
            mine.load_state_dict(other.state_dict())
        policy.check_finite()

    def collect_rollouts(self, env: Any, callback: Any, *_: Any, **__: Any) -> RolloutReturn:
        """Take what was played meanwhile, and have more played by the network as it is now."""
        callback.on_rollout_start()
        played = self._feed.take(self, self._current_progress_remaining)
        self._buffer.add_episodes(played)
        network = self._own.network
        self._buffer.mean, self._buffer.std = network.mean.numpy(), network.std.numpy()
        steps = self._settings.chunk * self._settings.envs
        self.num_timesteps += steps
        self._update_current_progress_remaining(self.num_timesteps, self._total_timesteps)
        callback.update_locals({"played": played})
        goes_on = callback.on_step()
        callback.on_rollout_end()
        return RolloutReturn(steps, len(played), goes_on)

    def train(self, gradient_steps: int, batch_size: int = 256) -> None:
        """Updates: of values that rewards can add up to, and with a cost of large actions, which else saturate."""
        if not len(self._buffer):
            return
        for _ in range(gradient_steps):
            self._n_updates += 1
            data = self._buffer.sample(batch_size)
            with torch.no_grad():
                ahead = self.critic_target.q1_forward(data.next_observations, self.actor_target(data.next_observations))
                target = (data.rewards + (1 - data.dones) * self.gamma * ahead).clamp(*self._values)
            values = self.critic.q1_forward(data.observations, data.actions)
            self._descend(self.critic, functional.mse_loss(values, target))
            actions = self.actor(data.observations)
            value = self.critic.q1_forward(data.observations, actions).mean()
            self._descend(self.actor, self._settings.penalty * actions.square().mean() - value)
            for of, target_of in ((self.critic, self.critic_target), (self.actor, self.actor_target)):
                polyak_update(of.parameters(), target_of.parameters(), self.tau)

    @property
    def _buffer(self) -> HindsightBuffer:
        assert isinstance(self.replay_buffer, HindsightBuffer)
        return self.replay_buffer

    def _linear(self) -> list[nn.Linear]:
        return [layer for layer in self.actor.mu if isinstance(layer, nn.Linear)]

    @staticmethod
    def _descend(part: Any, loss: torch.Tensor) -> None:
        part.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        part.optimizer.step()


class _Nowhere(gym.Env[Any, Any]):
    """What stable-baselines3 takes the sizes of observations and actions from."""

    def __init__(self, seen: int, action: int) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (seen,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (action,), np.float32)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        return np.zeros(self.observation_space.shape or (), np.float32), {}


class _Telling(BaseCallback):
    """Tells of the policy after every so many steps."""

    def __init__(self, policy: NetworkPolicy, tell: Tell, every: int) -> None:
        super().__init__()
        self._policy, self._tell, self._every, self._told = policy, tell, every, 0

    def _on_step(self) -> bool:
        if self.num_timesteps // self._every == self._told // self._every:
            return True
        assert isinstance(self.model, _Learner)
        self._told = self.num_timesteps
        self.model.export(self._policy)
        return not self._tell(self.num_timesteps, self._policy)
