"""The environment where goals are observed, and say the reward: for hindsight replay."""

from typing import Any

import numpy as np

from simworld.envs.env import ManipulationEnv
from simworld.envs.terms.goal import Goals
from simworld.errors import ConfigurationError


class GoalEnv(ManipulationEnv):
    """Rewards of any goals can be computed."""

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Reward (...,) of goals (..., size), a number for one goal; `info` is not used."""
        achieved, desired = self._goals(achieved_goal), self._goals(desired_goal)
        rewards = self.task.reward[self.config.reward].of(self.task.goal, achieved, desired)
        return rewards.astype(np.float32)[()]

    def compute_terminated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Whether the episode is over (...,): once the goal is reached, where success ends it; failures are unseen."""
        reached = self.task.goal.reached(self._goals(achieved_goal), self._goals(desired_goal))[()]
        return reached & (self.config.terminate_on != "never")

    def compute_truncated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Never (...,): the time limit is Gymnasium's TimeLimit."""
        return np.zeros(self._goals(achieved_goal).shape[:-1], dtype=bool)[()]

    def _goals(self, goals: Any) -> Goals:
        """Goals (..., size) as an array; anything else raises ConfigurationError."""
        size = self.task.goal.field.size
        try:
            given = np.asarray(goals)
        except ValueError:
            given = np.empty(0)
        if given.shape[-1:] != (size,) or given.dtype.kind not in "fiub":
            raise ConfigurationError(f"goals are arrays (..., {size}) of numbers, got {goals!r}")
        return given.astype(np.float32, copy=False)
