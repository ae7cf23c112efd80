"""Tests of policies while they are learnt, and the best of those that were tested."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym

from simworld.agents.evaluation.evaluation import Evaluation, evaluate
from simworld.agents.learning.training_seeds import TEST_SEEDS
from simworld.agents.networks.network import NetworkPolicy

Tell = Callable[[int, Evaluation | None], None]


class TrainingTests:
    """Tests of `episodes` on the seeds from TEST_SEEDS on, of which `tell` hears; without it there are none."""

    def __init__(self, env: gym.Env[Any, Any], episodes: int, tell: Tell | None) -> None:
        self._env, self._seeds, self._tell = env, range(TEST_SEEDS, TEST_SEEDS + episodes), tell
        self._best: tuple[float, NetworkPolicy] | None = None

    def say(self, step: int) -> None:
        """Tell of a step without a test."""
        if self._tell is not None:
            self._tell(step, None)

    def test(self, step: int, policy: NetworkPolicy) -> None:
        """Test a policy as it is after a step."""
        if self._tell is None:
            return
        result = evaluate(policy, self._env, self._seeds)
        if self._best is None or result.success_rate >= self._best[0]:
            self._best = result.success_rate, policy.copy()
        self._tell(step, result)

    @property
    def best(self) -> tuple[float, NetworkPolicy] | None:
        """The share of successes of the last of those that did best, and that one; None if none was tested."""
        return self._best

    def restore(self, best: tuple[float, NetworkPolicy]) -> None:
        """Take up what was the best of the tests before."""
        self._best = best

    def best_or(self, last: NetworkPolicy) -> NetworkPolicy:
        """The last of those that did best, or this one if none was tested."""
        return last if self._best is None else self._best[1]
