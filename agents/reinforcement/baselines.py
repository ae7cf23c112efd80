"""Models that users trained by stable-baselines3 themselves, from its own files: loading one runs the code in it."""

import json
import pickle
import zipfile
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import TQC
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from simworld.agents.policy import NOT_NORMALIZED, Seen, check_finite, checked_action, observed
from simworld.envs.config import EnvConfig
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, shortened
from simworld.reading import open_regular

_MARKS: Mapping[str, type[BaseAlgorithm]] = {
    "clip_range": PPO,
    "target_policy_noise": TD3,
    "top_quantiles_to_drop_per_net": TQC,
    "target_entropy": SAC,
}
"""What the data of each algorithm's models has, and that of those after it has not; DDPG's act as TD3's."""

_JUMP = 0.16
"""Metres along an axis that the tool never moves in a step."""
_WITHOUT_BUFFER: dict[str, Any] = {"replay_buffer_class": None, "replay_buffer_kwargs": {}, "buffer_size": 1}
"""To act takes no replay buffer, and a hindsight one would ask for an environment."""


class BaselinesPolicy:
    """A model of stable-baselines3 acting deterministically on what VecNormalize, if any, makes of observations."""

    def __init__(
        self,
        model: BaseAlgorithm,
        interface: Interface,
        normalization: VecNormalize | None = None,
        name: str = "the model",
    ) -> None:
        self.model, self._interface, self._normalization, self._name = model, interface, normalization, name

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (size,) for the observation of one environment; ConfigurationError if none is finite."""
        seen = observed(observation, self._interface)
        try:
            action = self._act(seen)
        except Exception as error:  # whatever the code in it raises
            check_finite(seen)
            raise ConfigurationError(f"{self._name} cannot act: {_reason(error)}") from None
        return checked_action(action, self._interface.action, seen, self._name)

    def _act(self, seen: Seen) -> Any:
        inputs: Any = {"observation": seen.observation, "achieved_goal": seen.achieved, "desired_goal": seen.desired}
        if self._normalization is not None:
            inputs = self._normalization.normalize_obs(inputs)
        return self.model.predict(inputs, deterministic=True)[0]


def load_baselines(path: Path, config: EnvConfig, normalization: Path | None = None) -> BaselinesPolicy:
    """Read a model saved by PPO, SAC, TQC, TD3 or DDPG, and the statistics of its VecNormalize, if any.

    That runs the code in both files. NOT_NORMALIZED instead of the statistics states that the model saw observations
    as they are. ConfigurationError if it is something else, or would act on something else than it was trained on.
    """
    model = _read_model(path)
    if (wrong := _mismatch(model, config)) is not None:
        raise ConfigurationError(f"policy: {path} was not trained for {config.task.name!r}: {wrong}")
    before = _states(model, "_last_original_obs", path, config)
    last = _states(model, "_last_obs", path, config)
    if normalization is None and (doubt := _doubt(model, before, last, config)) is not None:
        raise ConfigurationError(
            f"policy: {path} {doubt}: give the file of VecNormalize.save with --normalization, or state that "
            f"observations were not normalized with --normalization {NOT_NORMALIZED}"
        )
    given = normalization not in (None, NOT_NORMALIZED)
    if given and isinstance(model, PPO) and before is None:
        raise ConfigurationError(f"--normalization: {path} was not trained under VecNormalize; leave it out")
    statistics = _read_normalization(normalization, model) if normalization is not None and given else None
    policy = BaselinesPolicy(model, config.interface, statistics, f"the policy {path}")
    # That a model and its statistics are whole shows only where they act.
    policy({name: np.zeros(size, np.float32) for name, size in config.interface.sizes.items()})
    return policy


def _read_model(path: Path) -> BaseAlgorithm:
    try:
        with open_regular(path) as file:
            model = _algorithm(file).load(file, device="cpu", custom_objects=_WITHOUT_BUFFER)
        finite = all(torch.isfinite(values).all() for values in model.policy.state_dict().values())
    except Exception as error:  # whatever the code in it raises
        raise ConfigurationError(
            f"policy: {path} is not a model saved by stable-baselines3's PPO, SAC, TD3, DDPG or TQC: {_reason(error)}"
        ) from None
    if not finite:
        raise ConfigurationError(f"policy: {path} holds weights that are not finite")
    return model


def _algorithm(file: BufferedReader) -> type[BaseAlgorithm]:
    """What a model was trained by, from the names of its data, which are read without running any code."""
    with zipfile.ZipFile(file) as archive:
        names = json.loads(archive.read("data"))
    found = [algorithm for mark, algorithm in _MARKS.items() if mark in names]
    if not found:
        raise ValueError(f"its data must have one of {[*_MARKS]}, as theirs do")
    file.seek(0)
    return found[0]


def _reason(error: Exception) -> str:
    return shortened(str(error).partition("\n")[0] or type(error).__name__)


def _read_normalization(path: Path, model: BaseAlgorithm) -> VecNormalize:
    try:
        with open_regular(path) as file:
            normalization = pickle.load(file)
        if not isinstance(normalization, VecNormalize):
            raise TypeError(f"it is a {type(normalization).__name__}")
        same = normalization.observation_space == model.observation_space
    except Exception as error:  # whatever the code in it raises
        raise ConfigurationError(f"--normalization: {path} was not saved by VecNormalize: {_reason(error)}") from None
    if not same:
        raise ConfigurationError(f"--normalization: {path} is of other observations than the model's")
    return normalization


def _mismatch(model: BaseAlgorithm, config: EnvConfig) -> str | None:
    """What of the model's observations and actions is not as in a task; None if the model fits."""
    needed = {name: (size,) for name, size in config.interface.sizes.items()}
    space = model.observation_space
    found = {name: box.shape for name, box in space.items()} if isinstance(space, gym.spaces.Dict) else space.shape
    if found != needed:
        return f"its observations are {found}, not {needed}"
    if any(part.dtype != np.float32 for part in space.values()):  # type: ignore[attr-defined]  # a Dict
        return f"its observations are {space}, not float32"
    actions = gym.spaces.Box(-1.0, 1.0, (config.interface.action,), np.float32)
    return None if model.action_space == actions else f"its actions are {model.action_space}, not {actions}"


def _states(model: BaseAlgorithm, name: str, path: Path, config: EnvConfig) -> dict[str, NDArray[Any]] | None:
    """Observations (n, ...) that a model kept, if any; ConfigurationError if they are not the task's."""
    kept: Any = getattr(model, name, None)
    if kept is None:
        return None
    sizes = config.interface.sizes
    whole = isinstance(kept, dict) and kept.keys() == sizes.keys() and all(map(_is_real, kept.values()))
    shapes = {part: values.shape for part, values in kept.items()} if whole else {}
    n = min((shape[:1] for shape in shapes.values()), default=(0,))
    if not whole or shapes != {part: (*n, size) for part, size in sizes.items()}:
        wanted = {part: ("n", size) for part, size in sizes.items()}
        raise ConfigurationError(f"policy: {path} is broken: its {name} must be numbers of shapes {wanted}")
    return dict(kept)


def _is_real(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def _doubt(
    model: BaseAlgorithm,
    before: dict[str, NDArray[Any]] | None,
    last: dict[str, NDArray[Any]] | None,
    config: EnvConfig,
) -> str | None:
    """Why observations may have been normalized; None where there is no sign of it.

    The file of a model does not say it. PPO keeps original observations only under VecNormalize, which may have left
    them as they are. The others always keep them; the last one is out of bounds if it was normalized, or, in an
    episode, farther from the one before than a step leads, as a rule.
    """
    if before is None:
        return None
    if isinstance(model, PPO):
        return "was trained under VecNormalize, and its file does not say whether that normalized observations"
    if last is None or len(before["observation"]) != len(last["observation"]):
        return "does not say whether observations were normalized"
    spaces = config.state_spaces
    inside = all(((last[name] >= box.low) & (last[name] <= box.high)).all() for name, box in spaces.items())
    tool = config.interface.places.get("tool_position", slice(0))
    same_episode = (before["desired_goal"] == last["desired_goal"]).all(axis=1)
    jumped = (np.abs(last["observation"] - before["observation"])[:, tool] > _JUMP).any(axis=1)
    if inside and not (same_episode & jumped).any():
        return None
    return "seems to have been trained under VecNormalize, as the last observation in it is none of the task's"
