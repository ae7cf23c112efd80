"""Reinforcement learning by stable-baselines3: PPO, and SAC with hindsight experience replay."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.her import HerReplayBuffer

from simworld.agents.evaluation import Evaluation, evaluate
from simworld.datasets.folder import write_bytes
from simworld.envs.tasks import TASKS
from simworld.errors import ConfigurationError

TRAINING_SEEDS = 2_000_000
"""The training environment's root seed is this plus the setting `seed`: no evaluation sees what was trained on."""
TEST_SEEDS = 1_000_000
"""The first seed of the tests during training, which no other part of simworld uses."""


@dataclass(frozen=True)
class ReinforcementSettings:
    """Settings of a run; `steps` counts environment steps."""

    algorithm: str = "ppo"
    steps: int = 30_000
    seed: int = 0
    hidden: int = 64
    learning_rate: float = 1e-3
    discount: float = 0.95
    evaluate_every: int = 4096
    evaluation_episodes: int = 20

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ConfigurationError(f"algorithm: must be one of {sorted(ALGORITHMS)}, got {self.algorithm!r}")
        if min(self.steps, self.evaluate_every) < 1:
            raise ConfigurationError(
                f"steps and evaluate_every: must be at least 1, got {self.steps} and {self.evaluate_every}"
            )


class ReinforcedPolicy:
    """A model of stable-baselines3 acting deterministically."""

    def __init__(self, model: BaseAlgorithm) -> None:
        self.model = model

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (4,) for an observation."""
        action: NDArray[np.float32] = self.model.predict(dict(observation), deterministic=True)[0]
        return action

    def mismatch(self, task: str) -> str | None:
        """What of the model's observations and actions is not as in a task; None if the model fits."""
        goal = (TASKS[task].goal_size,)
        needed = {"observation": (sum(TASKS[task].fields.values()),), "achieved_goal": goal, "desired_goal": goal}
        space = self.model.observation_space
        found = {name: box.shape for name, box in space.items()} if isinstance(space, gym.spaces.Dict) else space.shape
        if found != needed:
            return f"its observations are {found}, not {needed}"
        action = self.model.action_space.shape
        return None if action == (4,) else f"its actions are {action}, not (4,)"

    def save(self, path: Path) -> None:
        """Write the model as stable-baselines3's .zip, atomically."""
        buffer = io.BytesIO()
        self.model.save(buffer)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "ReinforcedPolicy":
        """Read a model saved by PPO or SAC; ConfigurationError if it is something else."""
        # To act takes no replay buffer, and a hindsight one would ask for an environment.
        without_buffer: dict[str, Any] = {"replay_buffer_class": None, "replay_buffer_kwargs": {}, "buffer_size": 1}
        for algorithm in (PPO, SAC):
            try:
                return cls(algorithm.load(path, device="cpu", custom_objects=without_buffer))
            except Exception as error:
                reason = error
        raise ConfigurationError(f"{path} is not a model saved by stable-baselines3's PPO or SAC: {reason}")


def reinforce(
    env: gym.Env[Any, Any],
    test_env: gym.Env[Any, Any],
    settings: ReinforcementSettings,
    progress: Callable[[int, Evaluation | None], None] | None = None,
) -> ReinforcedPolicy:
    """Train from scratch on `env`.

    `progress` is told the steps done and, every `evaluate_every` steps, how the policy does on `test_env` on the
    seeds from TEST_SEEDS on; `env` itself is reset with TRAINING_SEEDS + `seed`.
    """
    # stable-baselines3 seeds the global generators of NumPy, torch and Python: there is no other way to seed it.
    model = ALGORITHMS[settings.algorithm](env, settings)
    model.learn(settings.steps, callback=_Progress(test_env, settings, progress))
    return ReinforcedPolicy(model)


def _ppo(env: gym.Env[Any, Any], settings: ReinforcementSettings) -> BaseAlgorithm:
    return PPO("MultiInputPolicy", env, n_steps=1024, batch_size=128, **_common(settings))


def _sac(env: gym.Env[Any, Any], settings: ReinforcementSettings) -> BaseAlgorithm:
    return SAC("MultiInputPolicy", env, batch_size=256, replay_buffer_class=HerReplayBuffer, **_common(settings))


def _common(settings: ReinforcementSettings) -> dict[str, Any]:
    return {
        "learning_rate": settings.learning_rate,
        "gamma": settings.discount,
        "policy_kwargs": {"net_arch": [settings.hidden] * 2},
        "seed": TRAINING_SEEDS + settings.seed,
        "device": "cpu",
    }


ALGORITHMS: Mapping[str, Callable[[gym.Env[Any, Any], ReinforcementSettings], BaseAlgorithm]] = {
    "ppo": _ppo,
    "sac": _sac,
}


_TELL_EVERY = 256


class _Progress(BaseCallback):
    def __init__(
        self,
        test_env: gym.Env[Any, Any],
        settings: ReinforcementSettings,
        progress: Callable[[int, Evaluation | None], None] | None,
    ) -> None:
        super().__init__()
        self._test_env, self._settings, self._tell = test_env, settings, progress

    def _on_step(self) -> bool:
        if self._tell is None:
            return True
        if self.num_timesteps % self._settings.evaluate_every == 0:
            self._evaluate()
        elif self.num_timesteps % _TELL_EVERY == 0:
            self._tell(self.num_timesteps, None)
        return True

    def _on_training_end(self) -> None:
        if self.num_timesteps % self._settings.evaluate_every:
            self._evaluate()

    def _evaluate(self) -> None:
        if self._tell is not None:
            seeds = range(TEST_SEEDS, TEST_SEEDS + self._settings.evaluation_episodes)
            self._tell(self.num_timesteps, evaluate(ReinforcedPolicy(self.model), self._test_env, seeds))
