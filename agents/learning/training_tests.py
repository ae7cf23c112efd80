"""Tests of policies while they are learnt, and the best of those that were tested."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym

from simworld.agents.evaluation.evaluation import Evaluation, evaluate
from simworld.agents.learning.training_seeds import TEST_SEEDS
from simworld.agents.networks.network import NetworkPolicy

Tell = Callable[[int, Evaluation | None], None]


class TrainingTests:
    """Tests of `episodes` on the seeds from TEST_SEEDS on, of which `tell` hears; without it there are none.

    What does no worse there than the best so far in all its episodes has `confirming` more, and is the best if it does
    no worse in all of its own, of which `tell` hears then: else what was lucky in few would be.
    """

    def __init__(self, env: gym.Env[Any, Any], episodes: int, tell: Tell | None, confirming: int = 0) -> None:
        self._env, self._seeds, self._tell = env, range(TEST_SEEDS, TEST_SEEDS + episodes), tell
        self._confirming = range(self._seeds.stop, self._seeds.stop + confirming)
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
        least = 0.0 if self._best is None else self._best[0]
        if result.success_rate >= least and self._confirming:
            more = evaluate(policy, self._env, self._confirming)
            result = Evaluation.of(result.results + more.results, result.seconds + more.seconds)
        if result.success_rate >= least:
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
