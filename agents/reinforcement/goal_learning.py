"""Learning to reach goals without demonstrations, in minutes on two cores.

A process plays in several environments while stable-baselines3 learns beside it, with few updates a step, in hindsight.
What is played in a chunk of steps is played by the network as it was before the chunk: on one machine the same seed
gives the same training, however fast either of the two is.
"""

import copy
from typing import Annotated, Any, Self

import gymnasium as gym
import numpy as np
import torch
from pydantic import Field, model_validator
from stable_baselines3 import TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutReturn
from stable_baselines3.common.utils import polyak_update
from torch import nn
from torch.nn import functional

from simworld.agents.network import Architecture, NetworkPolicy
from simworld.agents.policy import Seen
from simworld.agents.reinforcement.foresight import foreseen
from simworld.agents.reinforcement.hindsight import HindsightBuffer
from simworld.agents.reinforcement.play_process import Exploration, PlayProcess
from simworld.agents.reinforcement.played import Actor, Played
from simworld.agents.reinforcement.training import MOST_SEED, SEEDS_EACH, TRAINING_SEEDS, not_of_goals
from simworld.agents.reinforcement.training_tests import Tell, TrainingTests
from simworld.agents.settings import Hidden, Layers, LearningRate, Real, RootSeed, Settings, Whole
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError, TrainingError

Share = Annotated[Real, Field(ge=0, le=1)]

_LEAST_STD = 1e-2
"""Of a feature, as it is divided by."""
_FRESH = 10
"""Of what was learnt so far, the last part in so many is what is averaged at first."""


class GoalSettings(Settings):
    """How long is learnt, and how: DDPG (Lillicrap et al. 2016) in hindsight (Andrychowicz et al. 2017).

    `steps` are those of all `envs` together; after every `chunk` of steps in each there are `updates` for each step, of
    `batch_size` steps of the latest `buffer_size`. Large actions cost `penalty`; target networks follow by `tau`. Of
    what is played, `epsilon` of the actions are drawn at random and the others have `noise`; the share `restarts` of
    episodes, and in the end `last_restarts`, goes on from where something was held before. After the first of each
    environment, episodes are of the nominal world, and fewer and fewer of them until the part `nominal` of the steps is
    done. Of a goal that is a place and a fact, in the share `place_only` the place alone is wanted, which is reached
    long before all of it is. `hindsight` is the share of goals that were achieved later. With `foresight` values begin
    as those of going straight to the goal, if that is one place and each step costs the most that one can. What is
    learnt has the mean of the weights over about `averaged` steps. Every `evaluate_every` steps it is tested, in
    `evaluation_episodes`.
    """

    steps: Annotated[Whole, Field(ge=1)] = 600_000
    envs: Annotated[Whole, Field(ge=1, le=SEEDS_EACH)] = 16
    chunk: Annotated[Whole, Field(ge=1)] = 20
    updates: Annotated[Real, Field(gt=0, le=16)] = 0.1
    batch_size: Annotated[Whole, Field(ge=2)] = 128
    buffer_size: Annotated[Whole, Field(ge=1000, le=10_000_000)] = 500_000
    hidden: Hidden = 256
    layers: Layers = 3
    learning_rate: LearningRate = 1e-3
    discount: Annotated[Real, Field(ge=0, lt=1)] = 0.98
    tau: Annotated[Real, Field(gt=0, le=1)] = 0.005
    penalty: Annotated[Real, Field(ge=0)] = 0.2
    epsilon: Share = 0.3
    noise: Annotated[Real, Field(ge=0)] = 0.2
    restarts: Share = 0.5
    last_restarts: Share = 0.2
    nominal: Share = 0.5
    place_only: Share = 0.5
    hindsight: Share = 0.8
    foresight: bool = True
    averaged: Annotated[Whole, Field(ge=1)] = 20_000
    evaluate_every: Annotated[Whole, Field(ge=1)] = 20_000
    evaluation_episodes: Annotated[Whole, Field(ge=1)] = 50
    seed: Annotated[RootSeed, Field(le=MOST_SEED)] = 0

    @model_validator(mode="after")
    def _some_updates(self) -> Self:
        if self.updates * self.chunk * self.envs < 1:
            raise ConfigurationError(
                f"updates: must be at least one after a chunk of {self.chunk * self.envs} steps, got {self.updates}"
            )
        return self


def learn_goals(
    config: EnvConfig, test_env: gym.Env[Any, Any], settings: GoalSettings, progress: Tell | None = None
) -> NetworkPolicy:
    """A policy that learns from nothing in environments of a configuration.

    `progress` is told the steps done and, every `evaluate_every` steps and at the end, how the policy does on
    `test_env` on the seeds from TEST_SEEDS on; the last of those that did best is what is learnt, or without `progress`
    the one at the end. stable-baselines3 seeds the global generators of NumPy, torch and Python. What `check_goals`
    refuses raises ConfigurationError, a training that diverges TrainingError.
    """
    check_goals(config, settings)
    base = test_env.unwrapped
    if not isinstance(base, ManipulationEnv) or base.config.interface != config.interface:
        raise ConfigurationError(f"test_env: must be an environment of {config.task.name!r}, as those learnt in")
    architecture = Architecture(kind="ddpg", interface=config.interface, hidden=settings.hidden, layers=settings.layers)
    policy = NetworkPolicy(architecture, settings.model_dump(), settings.seed)
    tests = TrainingTests(test_env, settings.evaluation_episodes, progress)
    process = PlayProcess(config, settings.envs, TRAINING_SEEDS + SEEDS_EACH * settings.seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the other core plays
    try:
        learner = _Learner(_Feed(process, settings, policy), settings, policy, config)
        learner.learn(settings.steps, callback=_Telling(policy, tests, settings.evaluate_every))
    finally:
        torch.set_num_threads(threads)
        process.close()
    return tests.best_or(policy)


def check_goals(config: EnvConfig, settings: GoalSettings) -> None:
    """Raise ConfigurationError for what cannot be learnt from."""
    if not config.of_goals:
        raise not_of_goals("ddpg", config)
    if config.observation != ("state",):
        raise ConfigurationError(f"observation: ddpg learns from the state alone, got {[*config.observation]}")
    if settings.steps <= (first := settings.envs * config.task.steps):
        raise ConfigurationError(f"steps: must be more than {first}, after which ddpg learns, got {settings.steps}")


class _Feed:
    """What is played for a learner, and how features are normalized by all that was."""

    def __init__(self, process: PlayProcess, settings: GoalSettings, policy: NetworkPolicy) -> None:
        self._process, self._settings, self._policy = process, settings, policy
        self._count, self._sum, self._squares = 0, np.zeros(1), np.zeros(1)
        self._ask(None, 1.0)

    def take(self, learner: "_Learner", left: float) -> list[Played]:
        """The episodes that ended in the last chunk; the next chunk is begun, of which the share `left` of all is."""
        network = self._policy.network
        played = self._process.take()
        self._normalize(played)
        actor = Actor(learner.layers(), network.mean.numpy().copy(), network.std.numpy().copy())
        self._ask(actor if self._count else None, left)
        return played

    def _ask(self, actor: Actor | None, left: float) -> None:
        settings = self._settings
        restarts = settings.last_restarts + left * (settings.restarts - settings.last_restarts)
        done = 1.0 - left
        nominal = max(1.0 - done / settings.nominal, 0.0) if settings.nominal else 0.0
        exploring = Exploration(settings.epsilon, settings.noise, restarts, nominal, settings.place_only)
        self._process.ask(actor, exploring, settings.chunk)

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
        self._feed, self._settings, self._own, self._config = feed, settings, policy, config
        low, high = config.task.reward[config.reward].bounds
        self._values = min(low, 0.0) / (1.0 - settings.discount), max(high, 0.0) / (1.0 - settings.discount)
        buffer = {"features": policy.features, "hindsight": settings.hindsight, "seed": settings.seed}
        super().__init__(
            "MlpPolicy",
            _Nowhere(len(policy.network.mean), config.interface.action),
            learning_rate=settings.learning_rate,
            buffer_size=settings.buffer_size,
            learning_starts=0,
            batch_size=settings.batch_size,
            tau=settings.tau,
            gamma=settings.discount,
            gradient_steps=round(settings.updates * settings.chunk * settings.envs),
            replay_buffer_class=HindsightBuffer,
            replay_buffer_kwargs=buffer | {"config": config},
            policy_kwargs={
                "net_arch": [settings.hidden] * settings.layers,
                "n_critics": 1,
                "optimizer_kwargs": {"fused": True},
            },
            seed=settings.seed,
            device="cpu",
        )
        self._mean, self._trained = copy.deepcopy(self.actor), 0

    def layers(self) -> tuple[tuple[Any, Any], ...]:
        """Weights and biases of what acts, as arrays of their own; TrainingError where they are not finite."""
        numbers = [[n.detach().numpy().copy() for n in (layer.weight, layer.bias)] for layer in _linear(self.actor)]
        if not all(np.isfinite(n).all() for pair in numbers for n in pair):
            raise TrainingError(f"the training diverged after {self.num_timesteps} steps: its weights are not finite")
        return tuple((weight, bias) for weight, bias in numbers)

    def export(self, policy: NetworkPolicy) -> None:
        """Give a policy what acts of it."""
        own = [layer for layer in policy.network.body if isinstance(layer, nn.Linear)]
        for mine, other in zip(own, _linear(self._mean), strict=True):
            mine.load_state_dict(other.state_dict())

    def collect_rollouts(self, env: Any, callback: Any, *_: Any, **__: Any) -> RolloutReturn:
        """Take what was played meanwhile, and have more played by the network as it is now."""
        callback.on_rollout_start()
        played = self._feed.take(self, self._current_progress_remaining)
        self._buffer.add_episodes(played)
        network = self._own.network
        self._buffer.mean, self._buffer.std = network.mean.numpy().copy(), network.std.numpy().copy()
        steps = self._settings.chunk * self._settings.envs
        self.num_timesteps += steps
        self._update_current_progress_remaining(self.num_timesteps, self._total_timesteps)
        goes_on = callback.on_step()
        callback.on_rollout_end()
        return RolloutReturn(steps, len(played), goes_on)

    def train(self, gradient_steps: int, batch_size: int = 256) -> None:
        """Updates: of values that rewards can add up to, and with a cost of large actions, which else saturate."""
        if not len(self._buffer):
            return
        for _ in range(gradient_steps):
            self._n_updates += 1
            data, before, after = self._buffer.drawn(batch_size)
            values = self.critic.q1_forward(data.observations, data.actions)
            self._descend(self.critic, functional.mse_loss(values, self.wanted(data, before, after)))
            actions = self.actor(data.observations)
            value = self.critic.q1_forward(data.observations, actions).mean()
            self._descend(self.actor, self._settings.penalty * actions.square().mean() - value)
            for of, target_of in ((self.critic, self.critic_target), (self.actor, self.actor_target)):
                polyak_update(of.parameters(), target_of.parameters(), self.tau)
        self._trained += 1
        share = self._settings.chunk * self._settings.envs / self._settings.averaged
        polyak_update(self.actor.parameters(), self._mean.parameters(), min(max(share, _FRESH / self._trained), 1.0))

    @torch.no_grad()
    def wanted(self, data: ReplayBufferSamples, before: Seen, after: Seen) -> torch.Tensor:
        """What the critic is to answer (n, 1): how values differ from what is foreseen of them.

        That changes nothing of what is best (Ng et al. 1999, Wiewiora 2003), but tells from the first what is near.
        """
        ahead = self.critic_target.q1_forward(data.next_observations, self.actor_target(data.next_observations))
        ahead += self._foreseen(after)
        return (data.rewards + (1 - data.dones) * self.gamma * ahead).clamp(*self._values) - self._foreseen(before)

    def _foreseen(self, seen: Seen) -> torch.Tensor:
        share = foreseen(seen, self._config, self.gamma) if self._settings.foresight else np.zeros(len(seen.achieved))
        return torch.from_numpy((self._values[0] * share).astype(np.float32))[:, None]

    @property
    def _buffer(self) -> HindsightBuffer:
        assert isinstance(self.replay_buffer, HindsightBuffer)
        return self.replay_buffer

    @staticmethod
    def _descend(part: Any, loss: torch.Tensor) -> None:
        parameters = [*part.parameters()]
        # Of these alone: the actor's loss asks nothing of the critic's weights.
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        part.optimizer.step()


def _linear(actor: Any) -> list[nn.Linear]:
    return [layer for layer in actor.mu if isinstance(layer, nn.Linear)]


class _Nowhere(gym.Env[Any, Any]):
    """What stable-baselines3 takes the sizes of observations and actions from."""

    def __init__(self, seen: int, action: int) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (seen,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (action,), np.float32)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        return np.zeros(self.observation_space.shape or (), np.float32), {}


class _Telling(BaseCallback):
    """Tells of steps, and has the policy tested once so many more were learnt from, and at the end."""

    def __init__(self, policy: NetworkPolicy, tests: TrainingTests, every: int) -> None:
        super().__init__()
        self._policy, self._tests, self._every, self._tested = policy, tests, every, 0

    def _on_rollout_start(self) -> None:
        if self.num_timesteps // self._every > self._tested // self._every:
            self._test()
        else:
            self._tests.say(self.num_timesteps)

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        self._test()

    def _test(self) -> None:
        assert isinstance(self.model, _Learner)
        self._tested = self.num_timesteps
        self.model.layers()  # which are finite, or it says so
        self.model.export(self._policy)
        self._tests.test(self.num_timesteps, self._policy)
