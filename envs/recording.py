"""What happens in an episode, kept from its first instant on, to become an episode of a dataset."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.datasets.store.contacts import pack_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.spaces import ALONE, describe_space
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError
from simworld.scene.state import stack_states


class Recording:
    """An episode of an environment that was just reset, with what was observed then; `add` is told of every step.

    The spaces of the environment are Boxes or a Dict of them; others raise DatasetError. An episode that began at a
    snapshot raises ConfigurationError.
    """

    def __init__(self, env: gym.Env[Any, Any], observation: Any) -> None:
        base = env.unwrapped
        assert isinstance(base, ManipulationEnv)
        if base.steps:
            raise ConfigurationError(
                "an episode that begins at a snapshot cannot be recorded: nothing would make it again"
            )
        self._base = base
        self._begun: dict[str, Any] = {
            "seed": base.episode[0],
            "index": base.episode[1],
            "scene_json": base.sample.scene.to_json(),
            "parameters": base.parameters,
            "redrawn": base.sample.redrawn,
            "environment": json.loads(base.config.to_json()),
            "observation_space": describe_space(env.observation_space),
            "action_space": describe_space(env.action_space),
            "instruction": base.task_description,
        }
        self._observations, self._states = [observation], [base.world.state()]
        self._steps: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def add(
        self,
        action: NDArray[Any],
        observation: Any,
        reward: float,
        terminated: bool,
        truncated: bool,
        info: Mapping[str, Any],
    ) -> None:
        """Keep a step: what was done, and what came of it."""
        self._observations.append(observation)
        self._states.append(self._base.world.state())
        facts = {"is_success": info["is_success"], **info["events"], **self._base.failures}
        self._steps.append((action, reward, terminated, truncated, facts))

    def episode(self, expert_actions: NDArray[Any] | None = None, group: int | None = None) -> Episode:
        """The episode until now, of at least one step, which counts as truncated if it has not ended."""
        actions, rewards, terminations, truncations, infos = zip(*self._steps, strict=True)
        return Episode(
            **self._begun,
            observations=_stacked(self._observations),
            actions=np.stack(actions),
            rewards=np.array(rewards, dtype=np.float32),
            terminations=np.array(terminations, dtype=bool),
            truncations=np.array([*truncations[:-1], truncations[-1] or not terminations[-1]], dtype=bool),
            infos=_stacked(infos),
            states=stack_states(self._states),
            contacts=pack_contacts([state.contacts for state in self._states]),
            expert_actions=expert_actions,
            group=group,
        )


def _stacked(rows: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Observations or infos as arrays by name, of the types they have."""
    if not isinstance(rows[0], Mapping):
        return {ALONE: np.stack(rows)}
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
