"""Learning to reach goals without demonstrations, in minutes on two cores.

Processes play in several environments while stable-baselines3 learns beside them in hindsight, with few updates a step.
What is played in a chunk of steps is played by the network as it was before the chunk: on one machine the same seed
gives the same training, however fast any of them is.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutReturn
from stable_baselines3.common.utils import update_learning_rate
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from simworld.agents.goals.feed import Feed
from simworld.agents.goals.foresight import foreseen
from simworld.agents.goals.goal_checkpoint import GoalProgress, digest_of
from simworld.agents.goals.goal_settings import GoalSettings
from simworld.agents.goals.hindsight import HindsightBuffer
from simworld.agents.goals.play_process import PlayProcesses
from simworld.agents.goals.played import Played
from simworld.agents.learning.training_checkpoint import (
    needed,
    read_progress,
    restore_module,
    save_progress,
    state_of_module,
)
from simworld.agents.learning.training_seeds import SEEDS_EACH, TRAINING_SEEDS
from simworld.agents.learning.training_tests import Tell, TrainingTests
from simworld.agents.networks.network import Architecture, NetworkPolicy, check_shapes
from simworld.agents.networks.stored import Tensors
from simworld.agents.policy import Seen
from simworld.agents.reinforcement.training import check_steps, not_of_goals, silent
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError, TrainingError
from simworld.physics.settle import check_settles
from simworld.randomization.sampling import check_scenes

_AT_ONCE = 64
"""Batches that are drawn together: far quicker than one by one, and no more memory than that."""
_Batch = tuple[ReplayBufferSamples, torch.Tensor, torch.Tensor, torch.Tensor]
"""Steps, what was foreseen before and after them (n, 1), and which led (n, 1) to what is wanted in the end."""
_FRESH = 10
"""Of what was learnt so far, the last part in so many is what is averaged at first."""


def learn_goals(
    config: EnvConfig,
    test_env: gym.Env[Any, Any],
    settings: GoalSettings,
    progress: Tell | None = None,
    checkpoint: Path | None = None,
    demonstrations: Sequence[Played] = (),
) -> NetworkPolicy:
    """A policy that learns in environments of a configuration: from nothing, or from what was shown beside it.

    `progress` is told the steps done and, every `evaluate_every` steps and at the end, how the policy does on
    `test_env` on the seeds from TEST_SEEDS on; the last of those that did best is what is learnt, or without `progress`
    the one at the end. With a `checkpoint`, what it takes to go on is kept in that file at every test, and if it is
    there, the training goes on from it: with what was learnt and played until then, in episodes that begin anew.
    stable-baselines3 seeds the global generators of NumPy, torch and Python. What `check_goals` refuses raises
    ConfigurationError, a training that diverges TrainingError.
    """
    check_goals(config, settings)
    base = test_env.unwrapped
    if not isinstance(base, ManipulationEnv) or base.config.interface != config.interface:
        raise ConfigurationError(f"test_env: must be an environment of {config.task.name!r}, as those learnt in")
    config = _played_in(config, settings)
    architecture = Architecture(
        kind="ddpg",
        interface=config.interface,
        hidden=settings.hidden,
        layers=settings.layers,
        largest=settings.largest,
    )
    policy = NetworkPolicy(architecture, settings.model_dump(mode="json"), settings.seed)
    tests = TrainingTests(test_env, settings.evaluation_episodes, progress, settings.confirming_episodes)
    asked = {"environment": config.to_json(), "settings": settings.model_dump(mode="json")}
    asked["shown"] = digest_of(demonstrations)
    kept = read_progress(checkpoint, GoalProgress, asked)
    begun = 0 if kept is None else kept[0].steps
    processes = PlayProcesses(
        config, settings.envs, TRAINING_SEEDS + SEEDS_EACH * settings.seed, begun, settings.largest
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # other cores play
    try:
        learner = _Learner(Feed(processes, settings, policy), settings, policy, config)
        learner.show(demonstrations, begun)
        if kept is not None and checkpoint is not None:
            learner.restore(*kept, tests, checkpoint)
        learner.begin()
        telling = _Telling(policy, tests, settings.evaluate_every, checkpoint, asked)
        learner.learn(settings.steps - begun, callback=telling, reset_num_timesteps=not begun)
    finally:
        torch.set_num_threads(threads)
        processes.close()
    return tests.best_or(policy)


def check_goals(config: EnvConfig, settings: GoalSettings) -> None:
    """Raise ConfigurationError for what cannot be learnt from."""
    name = settings.algorithm
    if not config.of_goals:
        raise not_of_goals(name, config)
    if config.observation != ("state",):
        raise ConfigurationError(f"observation: {name} learns from the state alone, got {[*config.observation]}")
    check_steps(name, settings.steps, settings.envs * _played_in(config, settings).task.steps)
    for easier in settings.easier:
        check_scenes(config.scene, easier)
        check_settles(config.scene, easier)


class _Learner(TD3):
    """DDPG whose steps are played elsewhere while it learns from those before."""

    def __init__(self, feed: Feed, settings: GoalSettings, policy: NetworkPolicy, config: EnvConfig) -> None:
        self._feed, self._settings, self._own, self._config = feed, settings, policy, config
        low, high = config.task.reward[config.reward].bounds
        self._values = min(low, 0.0) / (1.0 - settings.discount), max(high, 0.0) / (1.0 - settings.discount)
        buffer = {"config": config, "features": policy.features, "never": self._values[0]}
        buffer |= {"hindsight": settings.hindsight, "seed": settings.seed}
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
            replay_buffer_kwargs=buffer,
            policy_kwargs={
                "net_arch": [settings.hidden] * settings.layers,
                "n_critics": settings.critics,
                "optimizer_kwargs": {"fused": True},
            },
            seed=settings.seed,
            device="cpu",
        )
        self.set_logger(silent())
        self._mean, self._trained = copy.deepcopy(self.actor), 0
        # Looking for them takes as long as two layers do.
        self._numbers = {name: [*module.parameters()] for name, module in self._modules_by_name().items()}
        self._shown: HindsightBuffer | None = None

    def show(self, demonstrations: Sequence[Played], begun: int = 0) -> None:
        """Learn from these too, all along (RLPD, Ball et al. 2023), which `begun` so many steps ago."""
        if demonstrations:
            longest, spaces = max(map(len, demonstrations)), (self.observation_space, self.action_space)
            about = self.replay_buffer_kwargs | {"seed": self._settings.seed + 1 + begun}
            about |= {"config": _with_steps(self._config, longest)}
            self._shown = HindsightBuffer(len(demonstrations) * longest, *spaces, **about)
            self._shown.add_episodes(shown.in_parts_of(self._settings.largest) for shown in demonstrations)
            self._feed.learn_scale(demonstrations)

    def begin(self) -> None:
        """Have the first chunk of steps played."""
        self._update_current_progress_remaining(self.num_timesteps, self._settings.steps)
        self._feed.ask(self.layers(), self._current_progress_remaining)

    def save_progress(self, path: Path, asked: Mapping[str, Any], tests: TrainingTests) -> None:
        """Write what it takes to go on with what was asked for, if something was learnt."""
        if self._n_updates < self._settings.actor_every:
            return
        feed, best = self._feed, tests.best
        tensors = {f"replay.{name}": values for name, values in self._buffer.state().items()}
        for name, module in self._modules_by_name().items():
            tensors |= state_of_module(name, module)
        if best is not None:
            tensors |= state_of_module("best", best[1].network)
        progress = GoalProgress(
            **asked,
            steps=self.num_timesteps,
            updates=self._n_updates,
            chunks=self._trained,
            episodes=feed.episodes,
            count=feed.count,
            sums=tuple(feed.sums.tolist()),
            squares=tuple(feed.squares.tolist()),
            best=None if best is None else best[0],
        )
        save_progress(path, progress, tensors)

    def restore(self, progress: GoalProgress, tensors: Tensors, tests: TrainingTests, path: Path) -> None:
        """Go on from what `save_progress` wrote to a path; ConfigurationError where its tensors are others."""
        feed = self._feed
        best = None if progress.best is None else self._own.copy()
        modules = self._modules_by_name() | ({} if best is None else {"best": best.network})
        own = {name: tensors[name] for name in tensors if name.startswith("replay.")}
        learnt = {name: tensors[name] for name in tensors.keys() - own.keys()}
        check_shapes(path, learnt, {k: v for name, module in modules.items() for k, v in needed(name, module).items()})
        try:
            self._buffer.restore({name.removeprefix("replay."): v for name, v in own.items()}, progress.episodes)
        except (KeyError, ValueError) as error:
            raise ConfigurationError(f"{path} cannot be used: its episodes are others: {error}") from None
        if {len(progress.sums), len(progress.squares)} != {len(self._own.network.mean)}:
            raise ConfigurationError(f"{path} cannot be used: sums and squares must be of all features")
        for name, module in modules.items():
            updates = progress.updates // (self._settings.actor_every if name == "actor" else 1)
            restore_module(name, module, learnt, updates)
        if best is not None and progress.best is not None:
            tests.restore((progress.best, best))
        self.num_timesteps, self._n_updates, self._trained = progress.steps, progress.updates, progress.chunks
        feed.episodes, feed.count = progress.episodes, progress.count
        feed.sums, feed.squares = np.array(progress.sums), np.array(progress.squares)
        feed.normalize()

    def _modules_by_name(self) -> dict[str, nn.Module]:
        names = "actor", "critic", "actor_target", "critic_target", "_mean"
        return {name: getattr(self, name) for name in names}

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
        played = self._feed.take(self.layers(), self._current_progress_remaining)
        self._buffer.add_episodes(played)
        network = self._own.network
        for buffer in filter(None, (self._buffer, self._shown)):
            buffer.mean, buffer.std = network.mean.numpy().copy(), network.std.numpy().copy()
        steps = self._settings.chunk * self._settings.envs
        self.num_timesteps += steps
        self._update_current_progress_remaining(self.num_timesteps, self._total_timesteps)
        goes_on = callback.on_step()
        callback.on_rollout_end()
        return RolloutReturn(steps, len(played), goes_on)

    def train(self, gradient_steps: int, batch_size: int = 256) -> None:
        """Updates: of values that rewards can add up to, and with a cost of large actions, which else saturate."""
        settings = self._settings
        if not len(self._buffer):
            return
        last = settings.last_learning_rate or settings.learning_rate
        rate = last + self._current_progress_remaining * (settings.learning_rate - last)
        update_learning_rate(self.actor.optimizer, rate)
        update_learning_rate(self.critic.optimizer, rate)
        for data, before, after, led in self._batches(gradient_steps, batch_size):
            self._n_updates += 1
            wanted = self.wanted(data, before, after)
            values = self.critic(data.observations, data.actions)
            self._descend("critic", torch.stack([functional.mse_loss(each, wanted) for each in values]).sum())
            if self._n_updates % settings.actor_every:
                continue
            actions = self.actor(data.observations)
            worth = self.critic.q1_forward(data.observations, actions)
            loss = settings.penalty * actions.square().mean() - worth.mean()
            if settings.imitated:
                better = led * (values[0] >= worth).detach()
                loss += settings.imitated * (better * (actions - data.actions).square()).mean()
            self._descend("actor", loss)
            for name in ("critic", "actor"):
                self._follow(f"{name}_target", name, self.tau)
        self._trained += 1
        share = settings.chunk * settings.envs / settings.averaged
        self._follow("_mean", "actor", min(max(share, _FRESH / self._trained), 1.0))

    def _batches(self, count: int, size: int) -> Iterator[_Batch]:
        """Steps to learn from, as many of each kind in each batch.

        With them what was foreseen before and after them, and 1 for what led to what is wanted in them, each (n, 1).
        """
        shown = 0 if self._shown is None else round(self._settings.demonstrated * size)
        counts = (self._buffer, size - shown), (self._shown, shown)
        for begin in range(0, count, _AT_ONCE):
            now = min(_AT_ONCE, count - begin)
            parts = [buffer.drawn(now * each) for buffer, each in counts if buffer is not None and each]
            steps = [*map(torch.cat, zip(*(part.steps[:5] for part in parts), strict=True))]
            before = torch.cat([self._foreseen(part.before) for part in parts])
            after = torch.cat([self._foreseen(part.after) for part in parts])
            led = torch.from_numpy(np.concatenate([part.led for part in parts]))[:, None]
            for k in range(now):
                yield ReplayBufferSamples(*(part[k::now] for part in steps)), before[k::now], after[k::now], led[k::now]

    @torch.no_grad()
    def wanted(self, data: ReplayBufferSamples, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """What the critic is to answer (n, 1): how values differ from what is foreseen of them before and after.

        That changes nothing of what is best (Ng et al. 1999, Wiewiora 2003), but tells from the first what is near.
        """
        actions = self.actor_target(data.next_observations)
        if smoothing := self._settings.smoothing:
            actions = (actions + (smoothing * torch.randn_like(actions)).clamp(-0.5, 0.5)).clamp(-1, 1)  # as TD3
        ahead = torch.cat(self.critic_target(data.next_observations, actions), dim=1).min(dim=1, keepdim=True).values
        ahead += after
        return (data.rewards + (1 - data.dones) * self.gamma * ahead).clamp(*self._values) - before

    def _foreseen(self, seen: Seen) -> torch.Tensor:
        share = foreseen(seen, self._config, self.gamma) if self._settings.foresight else np.zeros(len(seen.achieved))
        return torch.from_numpy((self._values[0] * share).astype(np.float32))[:, None]

    @property
    def _buffer(self) -> HindsightBuffer:
        assert isinstance(self.replay_buffer, HindsightBuffer)
        return self.replay_buffer

    def _follow(self, name: str, of: str, share: float) -> None:
        """Move the numbers of one module to those of another by a share of the way."""
        move = get_ema_multi_avg_fn(1.0 - share)  # type: ignore[no-untyped-call]
        move(self._numbers[name], self._numbers[of], 0)

    def _descend(self, name: str, loss: torch.Tensor) -> None:
        parameters = self._numbers[name]
        # Of these alone: the actor's loss asks nothing of the critic's weights.
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        getattr(self, name).optimizer.step()


def _played_in(config: EnvConfig, settings: GoalSettings) -> EnvConfig:
    """The same with episodes of play, which are no longer than those of the task."""
    steps = config.task.steps
    return _with_steps(config, min(settings.play_steps or steps, steps))


def _with_steps(config: EnvConfig, steps: int) -> EnvConfig:
    return config.model_copy(update={"task": config.task.model_copy(update={"steps": steps})})


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

    def __init__(
        self,
        policy: NetworkPolicy,
        tests: TrainingTests,
        every: int,
        checkpoint: Path | None,
        asked: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._policy, self._tests, self._every, self._checkpoint = policy, tests, every, checkpoint
        self._asked = asked
        self._tested = 0

    def _on_training_start(self) -> None:
        self._tested = self.num_timesteps

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
        if self._checkpoint is not None:
            self.model.save_progress(self._checkpoint, self._asked, self._tests)
