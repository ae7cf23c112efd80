"""Models that users trained by stable-baselines3 themselves, from its own files: loading one runs the code in it."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from simworld.agents.network import ACTIONS
from simworld.agents.policy import observed, state_sizes
from simworld.envs.observations import state_spaces
from simworld.envs.tasks import TASKS, field_slices
from simworld.errors import ConfigurationError
from simworld.physics.control import MAX_DISPLACEMENT
from simworld.reading import open_regular


class BaselinesPolicy:
    """A model of stable-baselines3 acting deterministically on what VecNormalize, if any, makes of observations."""

    def __init__(self, model: BaseAlgorithm, task: str, normalization: VecNormalize | None = None) -> None:
        self.model, self._task, self._normalization = model, task, normalization

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (4,) for the observation of one environment."""
        seen = observed(observation, self._task)
        inputs: Any = {"observation": seen.observation, "achieved_goal": seen.achieved, "desired_goal": seen.desired}
        if self._normalization is not None:
            inputs = self._normalization.normalize_obs(inputs)
        action: NDArray[np.float32] = self.model.predict(inputs, deterministic=True)[0]
        return action


def load_baselines(path: Path, task: str, normalization: Path | None = None) -> BaselinesPolicy:
    """Read a model saved by PPO or SAC, and the statistics of its VecNormalize, running the code in both files.

    ConfigurationError if it is something else, or would act on something else than it was trained on.
    """
    model = _read_model(path)
    if (wrong := _mismatch(model, task)) is not None:
        raise ConfigurationError(f"policy: {path} was not trained for {task!r}: {wrong}")
    normalized = _saw_normalized(model, task)
    if normalized and normalization is None:
        raise ConfigurationError(
            f"policy: {path} was trained under VecNormalize, and without its statistics sees other observations: "
            "give the file of VecNormalize.save with --normalization"
        )
    if normalization is not None and not normalized:
        raise ConfigurationError(f"--normalization: {path} was not trained under VecNormalize; leave it out")
    return BaselinesPolicy(model, task, None if normalization is None else _read_normalization(normalization, model))


def _read_model(path: Path) -> BaseAlgorithm:
    # To act takes no replay buffer, and a hindsight one would ask for an environment.
    without_buffer: dict[str, Any] = {"replay_buffer_class": None, "replay_buffer_kwargs": {}, "buffer_size": 1}
    for algorithm in (PPO, SAC):
        try:
            model = algorithm.load(path, device="cpu", custom_objects=without_buffer)
        except Exception as error:
            reason = str(error).partition("\n")[0]
            continue
        if not all(torch.isfinite(values).all() for values in model.policy.state_dict().values()):
            raise ConfigurationError(f"policy: {path} holds weights that are not finite")
        return model
    raise ConfigurationError(f"policy: {path} is not a model saved by stable-baselines3's PPO or SAC: {reason}")


def _read_normalization(path: Path, model: BaseAlgorithm) -> VecNormalize:
    try:
        with open_regular(path) as file:
            normalization = pickle.load(file)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"--normalization: {path} was not saved by VecNormalize: {reason}") from None
    if not isinstance(normalization, VecNormalize):
        raise ConfigurationError(f"--normalization: {path} was not saved by VecNormalize")
    if normalization.observation_space != model.observation_space:
        raise ConfigurationError(f"--normalization: {path} is of other observations than the model's")
    return normalization


def _mismatch(model: BaseAlgorithm, task: str) -> str | None:
    """What of the model's observations and actions is not as in a task; None if the model fits."""
    needed = {name: (size,) for name, size in state_sizes(task).items()}
    space = model.observation_space
    found = {name: box.shape for name, box in space.items()} if isinstance(space, gym.spaces.Dict) else space.shape
    if found != needed:
        return f"its observations are {found}, not {needed}"
    if any(part.dtype != np.float32 for part in space.values()):  # type: ignore[attr-defined]  # a Dict
        return f"its observations are {space}, not float32"
    actions = gym.spaces.Box(-1.0, 1.0, (ACTIONS,), np.float32)
    return None if model.action_space == actions else f"its actions are {model.action_space}, not {actions}"


def _saw_normalized(model: BaseAlgorithm, task: str) -> bool:
    """Whether the model's observations were normalized: stable-baselines3 says so only for PPO.

    SAC's last observation is out of bounds then, or, in an episode, farther from the one before than a step leads.
    """
    before, last = model._last_original_obs, model._last_obs
    if before is None or isinstance(model, PPO):
        return before is not None
    assert isinstance(before, dict) and isinstance(last, dict)
    spaces = state_spaces(TASKS[task])
    inside = all(((last[name] >= box.low) & (last[name] <= box.high)).all() for name, box in spaces.items())
    tool = field_slices(TASKS[task])["tool_position"]
    same_episode = (before["desired_goal"] == last["desired_goal"]).all(axis=1)
    jumped = (np.abs(last["observation"] - before["observation"])[:, tool] > 4 * MAX_DISPLACEMENT).any(axis=1)
    return not inside or bool((same_episode & jumped).any())
