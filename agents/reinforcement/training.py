"""Reinforcement learning by stable-baselines3: PPO, and SAC with hindsight experience replay."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import gymnasium as gym
import torch
from pydantic import Field
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, unwrap_vec_normalize
from stable_baselines3.her import HerReplayBuffer
from torch import nn

from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.agents.reinforcement.training_tests import Tell, TrainingTests
from simworld.agents.settings import Hidden, LearningRate, Real, RootSeed, Settings, Whole
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, TrainingError

TRAINING_SEEDS = 2_000_000
SEEDS_EACH, MOST_SEED = 1000, 1_000_000
"""Root seeds between two trainings that have several environments or episodes, and the last one of a training, so that
all of them stay below those of data, which begin at 2**30."""
"""The training environment's root seed is this plus the setting `seed`: no evaluation sees what was trained on."""
LAYERS = 2
MOST_KEPT = 1_000_000
"""Steps that SAC learns from: the latest."""

Env = gym.Env[Any, Any] | VecEnv


class ReinforcementSettings(Settings):
    """Settings of a run; `steps` counts environment steps, and PPO finishes its last rollout beyond them."""

    algorithm: Literal["ppo", "sac"] = "ppo"
    steps: Annotated[Whole, Field(ge=1)] = 30_000
    seed: RootSeed = 0
    hidden: Hidden = 64
    learning_rate: LearningRate = 1e-3
    discount: Annotated[Real, Field(ge=0, le=1)] = 0.95
    evaluate_every: Annotated[Whole, Field(ge=1)] = 4096
    evaluation_episodes: Annotated[Whole, Field(ge=1)] = 20


def reinforce(
    env: Env, test_env: gym.Env[Any, Any], settings: ReinforcementSettings, progress: Tell | None = None
) -> NetworkPolicy:
    """Train from scratch on `env`, one environment or stable-baselines3's VecEnv of several.

    `progress` is told the steps done and, every `evaluate_every` steps and at the end, how the policy does on
    `test_env` on the seeds from TEST_SEEDS on; the last of those that did best is what is learnt, or without `progress`
    the one at the end. `env` itself is reset with TRAINING_SEEDS + `seed`, the further ones of a VecEnv with the seeds
    after it. An environment that cannot be learnt from raises ConfigurationError, a training that diverges
    TrainingError.
    """
    interface = check_training(env, test_env, settings)
    envs = env if isinstance(env, VecEnv) else DummyVecEnv([lambda: env])
    # stable-baselines3 seeds the global generators of NumPy, torch and Python: there is no other way to seed it.
    model = ALGORITHMS[settings.algorithm](envs, settings)
    tests = TrainingTests(test_env, settings.evaluation_episodes, progress)
    told = _Progress(interface, settings, tests)
    try:
        model.learn(settings.steps, callback=told)
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
    if settings.algorithm == "sac":
        if not _has_rewards_of_goals(env):
            raise not_of_goals("sac", base.config)
        check_steps("sac", settings.steps, _learning_starts(env))
    return base.config.interface


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
        "MultiInputPolicy", envs, n_steps=batch * math.ceil(8 / envs.num_envs), batch_size=batch, **_common(settings)
    )


def _sac(envs: VecEnv, settings: ReinforcementSettings) -> BaseAlgorithm:
    options: dict[str, Any] = {"replay_buffer_class": HerReplayBuffer, "learning_starts": _learning_starts(envs)}
    # Hindsight makes a dictionary for every row of its buffer at once: no more of them than there will be steps.
    rows = min(MOST_KEPT, settings.steps + 2 * envs.num_envs)
    return SAC("MultiInputPolicy", envs, buffer_size=rows, batch_size=256, **options, **_common(settings))


def _learning_starts(env: Env) -> int:
    """Steps after which an episode has ended in every environment: hindsight learns from such alone."""
    specs = env.get_attr("spec") if isinstance(env, VecEnv) else [env.spec]
    limits = [spec.max_episode_steps for spec in specs if spec is not None and spec.max_episode_steps is not None]
    if len(limits) < len(specs):
        raise ConfigurationError("env: must have max_episode_steps for sac, which learns from episodes that have ended")
    return int(max(100, len(limits) * max(limits)))


def _common(settings: ReinforcementSettings) -> dict[str, Any]:
    return {
        "learning_rate": settings.learning_rate,
        "gamma": settings.discount,
        "policy_kwargs": {"net_arch": [settings.hidden] * LAYERS},
        "seed": TRAINING_SEEDS + settings.seed,
        "device": "cpu",
    }


ALGORITHMS: Mapping[str, Callable[[VecEnv, ReinforcementSettings], BaseAlgorithm]] = {"ppo": _ppo, "sac": _sac}


def _check_finite(model: BaseAlgorithm) -> None:
    if not all(torch.isfinite(values).all() for values in model.policy.state_dict().values()):
        raise TrainingError(f"the training diverged after {model.num_timesteps} steps: its weights are not finite")


def actor_of(model: BaseAlgorithm, interface: Interface, settings: ReinforcementSettings) -> NetworkPolicy:
    """A copy of what acts of a model; TrainingError if any weight of the model is not finite."""
    _check_finite(model)
    kind = settings.algorithm
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


class _Progress(BaseCallback):
    """Tells of steps and evaluations once their number was passed: several environments step over it."""

    def __init__(self, interface: Interface, settings: ReinforcementSettings, tests: TrainingTests) -> None:
        super().__init__()
        self._interface, self._settings, self._tests = interface, settings, tests
        self._told = self._tested = 0

    def _on_step(self) -> bool:
        every = self._settings.evaluate_every
        if self.num_timesteps // every > self._tested // every:
            self._test()
        elif self.num_timesteps // _TELL_EVERY > self._told // _TELL_EVERY:
            self._told = self.num_timesteps
            self._tests.say(self.num_timesteps)
        return True

    def _on_training_end(self) -> None:
        if self._tested < self.num_timesteps:
            self._test()

    def _test(self) -> None:
        self._told = self._tested = self.num_timesteps
        self._tests.test(self.num_timesteps, actor_of(self.model, self._interface, self._settings))
