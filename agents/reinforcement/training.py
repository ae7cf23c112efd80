"""Reinforcement learning by stable-baselines3: PPO, and SAC and TQC with hindsight experience replay."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
import torch
from pydantic import Field
from sb3_contrib import TQC
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, unwrap_vec_normalize
from stable_baselines3.her import HerReplayBuffer
from torch import nn

from simworld.agents.learning.training_checkpoint import (
    TrainingProgress,
    needed,
    read_progress,
    restore_module,
    save_progress,
    state_of_module,
)
from simworld.agents.learning.training_seeds import MOST_SEED, SEEDS_EACH, TRAINING_SEEDS
from simworld.agents.learning.training_tests import Tell, TrainingTests
from simworld.agents.networks.network import Architecture, NetworkPolicy, check_shapes
from simworld.agents.reinforcement.model_checkpoint import restore_model, state_of_model
from simworld.agents.settings import Hidden, LearningRate, Real, RootSeed, Settings, Whole
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, TrainingError

LAYERS = 2
_LEAST_PLAYED = 100
"""Steps, at least, before SAC and TQC learn."""
MOST_KEPT = 1_000_000
"""Steps that SAC and TQC learn from: the latest."""

Env = gym.Env[Any, Any] | VecEnv


class ReinforcementSettings(Settings):
    """Settings of a run, in so many `envs` that are `together`.

    `steps` counts the steps of all of them, and PPO finishes its last rollout beyond them.
    """

    algorithm: Literal["ppo", "sac", "tqc"] = "ppo"
    steps: Annotated[Whole, Field(ge=1)] = 30_000
    envs: Annotated[Whole, Field(ge=1, le=SEEDS_EACH)] = 1
    seed: Annotated[RootSeed, Field(le=MOST_SEED)] = 0
    hidden: Hidden = 64
    learning_rate: LearningRate = 1e-3
    discount: Annotated[Real, Field(ge=0, le=1)] = 0.95
    evaluate_every: Annotated[Whole, Field(ge=1)] = 4096
    evaluation_episodes: Annotated[Whole, Field(ge=1)] = 20


def together(makers: Sequence[Callable[[], gym.Env[Any, Any]]]) -> VecEnv:
    """Environments, of what makes them, that step one after the other in this process."""
    return DummyVecEnv([*makers])


def reinforce(
    env: Env,
    test_env: gym.Env[Any, Any],
    settings: ReinforcementSettings,
    progress: Tell | None = None,
    checkpoint: Path | None = None,
) -> NetworkPolicy:
    """Train on `env`, one environment or stable-baselines3's VecEnv of several.

    `progress` is told the steps done and, every `evaluate_every` steps and at the end, how the policy does on
    `test_env` on the seeds from TEST_SEEDS on; the last of those that did best is what is learnt, or without `progress`
    the one at the end. `env` itself is reset with TRAINING_SEEDS + `seed`, those of a VecEnv of n with the n seeds from
    TRAINING_SEEDS + n * `seed` on, whatever `settings` say of `envs`. With a `checkpoint`, what it takes to go on is
    kept in that file after every test, and if it is there, the training goes on from it, in further episodes of `env`,
    which is to be as it was. An environment that cannot be learnt from raises ConfigurationError, a training that
    diverges TrainingError.
    """
    interface = check_training(env, test_env, settings)
    envs = env if isinstance(env, VecEnv) else together([lambda: env])
    kept = _Checkpoint(checkpoint, test_env, settings)
    # stable-baselines3 seeds the global generators of NumPy, torch and Python: there is no other way to seed it.
    model = ALGORITHMS[settings.algorithm](envs, settings)
    model.set_logger(silent())
    tests = TrainingTests(test_env, settings.evaluation_episodes, progress)
    begun = kept.restore(model, interface, tests)
    told = _Progress(interface, settings, tests, kept)
    try:
        model.learn(max(settings.steps - begun, 0), callback=told, reset_num_timesteps=not begun)
    except ValueError:
        _check_finite(model)  # with weights that are not, torch or the environment refuses what comes of them
        raise
    return tests.best_or(actor_of(model, interface, settings))


def check_training(env: Env, test_env: gym.Env[Any, Any], settings: ReinforcementSettings) -> Interface:
    """The interface of environments that can be trained and tested on; ConfigurationError if they cannot."""
    base = test_env.unwrapped if isinstance(test_env, gym.Env) else None
    if not isinstance(base, ManipulationEnv) or test_env is env:
        raise ConfigurationError("test_env: must be an environment of simworld, and not the one to train on")
    if not isinstance(env, gym.Env | VecEnv):
        kind = type(env).__name__
        raise ConfigurationError(f"env: must be an environment or stable-baselines3's VecEnv of several, got {kind}")
    if isinstance(env, VecEnv) and unwrap_vec_normalize(env) is not None:
        raise ConfigurationError("env: must not be under VecNormalize, whose statistics a stored policy does not hold")
    state = gym.spaces.Dict({**base.config.state_spaces})
    for who, there in (("env", env), ("test_env", test_env)):
        if there.observation_space != state or there.action_space != base.action_space:
            raise ConfigurationError(f"{who}: must observe the state of {base.task.name!r} alone and act in -1..1")
    if (algorithm := settings.algorithm) != "ppo":
        if not _has_rewards_of_goals(env):
            raise not_of_goals(algorithm, base.config)
        check_steps(algorithm, settings.steps, _learning_starts(env))
    return base.config.interface


def check_hindsight(config: EnvConfig, settings: ReinforcementSettings) -> None:
    """Raise ConfigurationError where settings do not do to learn in hindsight, in environments of a configuration."""
    if not config.of_goals:
        raise not_of_goals(settings.algorithm, config)
    check_steps(settings.algorithm, settings.steps, max(_LEAST_PLAYED, settings.envs * config.task.steps))


def not_of_goals(algorithm: str, config: EnvConfig) -> ConfigurationError:
    """What is said of environments that an algorithm cannot learn from in hindsight."""
    task = config.task
    return ConfigurationError(
        f"task {task.name!r}: {algorithm} learns in hindsight, which needs the success `reached()` and a reward that "
        f"goals alone say, such as `sparse()`; got {task.success!r} and {task.reward[config.reward]!r}: take ppo"
    )


def check_steps(algorithm: str, steps: int, first: int) -> None:
    """Raise ConfigurationError unless there are more steps than the first, after which an algorithm learns."""
    if steps <= first:
        raise ConfigurationError(f"steps: must be more than {first}, after which {algorithm} learns, got {steps}")


def _has_rewards_of_goals(env: Env) -> bool:
    if isinstance(env, VecEnv):
        return env.has_attr("compute_reward")
    return hasattr(env.unwrapped, "compute_reward")


def _ppo(envs: VecEnv, settings: ReinforcementSettings) -> BaseAlgorithm:
    # About 1024 steps between updates, however many environments take them, and whole batches of them.
    batch = 128
    return PPO(
        "MultiInputPolicy",
        envs,
        n_steps=batch * math.ceil(8 / envs.num_envs),
        batch_size=batch,
        **_common(envs, settings),
    )


def _sac(envs: VecEnv, settings: ReinforcementSettings) -> BaseAlgorithm:
    return SAC("MultiInputPolicy", envs, **_in_hindsight(envs, settings), **_common(envs, settings))


def _tqc(envs: VecEnv, settings: ReinforcementSettings) -> BaseAlgorithm:
    return TQC("MultiInputPolicy", envs, **_in_hindsight(envs, settings), **_common(envs, settings))


def _in_hindsight(envs: VecEnv, settings: ReinforcementSettings) -> dict[str, Any]:
    return {
        "replay_buffer_class": HerReplayBuffer,
        # Hindsight makes a dictionary for every row of its buffer at once: no more of them than there will be steps.
        "buffer_size": min(MOST_KEPT, settings.steps + 2 * envs.num_envs),
        "learning_starts": _learning_starts(envs),
        "batch_size": 256,
    }


def _learning_starts(env: Env) -> int:
    """Steps after which an episode has ended in every environment: hindsight learns from such alone."""
    specs = env.get_attr("spec") if isinstance(env, VecEnv) else [env.spec]
    limits = [spec.max_episode_steps for spec in specs if spec is not None and spec.max_episode_steps is not None]
    if len(limits) < len(specs):
        raise ConfigurationError("env: must have max_episode_steps: hindsight learns from episodes that have ended")
    return int(max(_LEAST_PLAYED, len(limits) * max(limits)))


def _common(envs: VecEnv, settings: ReinforcementSettings) -> dict[str, Any]:
    return {
        "learning_rate": settings.learning_rate,
        "gamma": settings.discount,
        "policy_kwargs": {"net_arch": [settings.hidden] * LAYERS},
        "seed": TRAINING_SEEDS + envs.num_envs * settings.seed,
        "device": "cpu",
    }


ALGORITHMS: Mapping[str, Callable[[VecEnv, ReinforcementSettings], BaseAlgorithm]] = {
    "ppo": _ppo,
    "sac": _sac,
    "tqc": _tqc,
}


def silent() -> Logger:
    """What writes nothing: stable-baselines3's own leaves an empty folder among the temporary ones."""
    return Logger(folder=None, output_formats=[])


def _check_finite(model: BaseAlgorithm) -> None:
    if not all(torch.isfinite(values).all() for values in model.policy.state_dict().values()):
        raise _diverged(model)


def _diverged(model: BaseAlgorithm) -> TrainingError:
    return TrainingError(f"the training diverged after {model.num_timesteps} steps: its weights are not finite")


def actor_of(model: BaseAlgorithm, interface: Interface, settings: ReinforcementSettings) -> NetworkPolicy:
    """A copy of what acts of a model; TrainingError if any weight of the model is not finite."""
    _check_finite(model)
    kind: Literal["ppo", "sac"] = "ppo" if settings.algorithm == "ppo" else "sac"  # what acts is the same of both
    policy = NetworkPolicy(
        Architecture(kind=kind, interface=interface, hidden=settings.hidden, layers=LAYERS), settings.model_dump()
    )
    parts: Any = model.policy
    trained = (
        [*parts.mlp_extractor.policy_net, parts.action_net]
        if kind == "ppo"
        else [*parts.actor.latent_pi, parts.actor.mu]
    )
    own = [layer for layer in policy.network.body if isinstance(layer, nn.Linear)]
    for mine, theirs in zip(own, (layer for layer in trained if isinstance(layer, nn.Linear)), strict=True):
        mine.load_state_dict(theirs.state_dict())
    return policy


_TELL_EVERY = 256
_BEST = "best"


class _Checkpoint:
    """What it takes to go on with a training, in a file."""

    def __init__(self, path: Path | None, test_env: gym.Env[Any, Any], settings: ReinforcementSettings) -> None:
        base = test_env.unwrapped
        assert isinstance(base, ManipulationEnv)
        self._path, self._settings = path, settings
        self._asked = {"environment": base.config.to_json(), "settings": settings.model_dump(mode="json")}
        self._read = read_progress(path, TrainingProgress, self._asked)

    def restore(self, model: BaseAlgorithm, interface: Interface, tests: TrainingTests) -> int:
        """Give a model and tests what was kept, if anything was; after how many steps that was."""
        if self._read is None or self._path is None:
            return 0
        progress, tensors = self._read
        self._read = None
        if progress.best is not None:
            best = actor_of(model, interface, self._settings)
            of_best = {key: values for key, values in tensors.items() if key.startswith(f"{_BEST}.")}
            check_shapes(self._path, of_best, needed(_BEST, best.network))
            restore_module(_BEST, best.network, of_best, progress.updates)
            tests.restore((progress.best, best))
        learnt = {key: values for key, values in tensors.items() if not key.startswith(f"{_BEST}.")}
        restore_model(model, progress.steps, progress.updates, learnt, self._path)
        envs = model.get_env()
        assert envs is not None
        envs.set_options({"index": progress.steps})  # which no episode before had: there were fewer of them than steps
        set_random_seed((TRAINING_SEEDS + self._settings.seed + progress.steps) % 2**32)
        return progress.steps

    def save(self, model: BaseAlgorithm, tests: TrainingTests) -> None:
        """Keep a model as it is, if it has learnt something."""
        if self._path is None or not model._n_updates:
            return
        tensors, best = state_of_model(model), tests.best
        if not all(np.isfinite(values).all() for values in tensors.values()):
            raise _diverged(model)
        if best is not None:
            tensors |= state_of_module(_BEST, best[1].network)
        told = {"steps": model.num_timesteps, "updates": model._n_updates, "best": best and best[0]}
        save_progress(self._path, TrainingProgress.model_validate({**self._asked, **told}), tensors)


class _Progress(BaseCallback):
    """Tells of steps and evaluations once their number was passed: several environments step over it."""

    def __init__(
        self, interface: Interface, settings: ReinforcementSettings, tests: TrainingTests, kept: _Checkpoint
    ) -> None:
        super().__init__()
        self._interface, self._settings, self._tests, self._kept = interface, settings, tests, kept
        self._told = self._tested = self._saved = self._updates = 0

    def _on_training_start(self) -> None:
        self._told = self._tested = self._saved = self.num_timesteps
        self._updates = self.model._n_updates
        if self._tested:
            self._tests.say(self._tested)

    def _on_rollout_start(self) -> None:
        if self._saved < self._tested:  # not where it was tested: PPO learns what it has played there only later
            self._save()

    def _on_step(self) -> bool:
        every = self._settings.evaluate_every
        if self.num_timesteps // every > self._tested // every:
            self._test()
        elif self.num_timesteps // _TELL_EVERY > self._told // _TELL_EVERY:
            self._told = self.num_timesteps
            self._tests.say(self.num_timesteps)
        return True

    def _on_training_end(self) -> None:
        if self._tested < self.num_timesteps or self._updates < self.model._n_updates:
            self._test()
        self._save()

    def _test(self) -> None:
        self._told = self._tested = self.num_timesteps
        self._updates = self.model._n_updates
        self._tests.test(self.num_timesteps, actor_of(self.model, self._interface, self._settings))

    def _save(self) -> None:
        self._saved = self.num_timesteps
        self._kept.save(self.model, self._tests)
