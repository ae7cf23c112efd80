"""Which of the policies that were tested while one was learnt is the best."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import pytest

from simworld.agents.evaluation.evaluation import EpisodeResult, Evaluation
from simworld.agents.learning import training_tests
from simworld.agents.learning.training_seeds import TEST_SEEDS
from simworld.agents.learning.training_tests import TrainingTests

FEW, MORE = range(TEST_SEEDS, TEST_SEEDS + 4), range(TEST_SEEDS + 4, TEST_SEEDS + 12)


@dataclass
class Rates:
    """A policy that succeeds at one rate in the first episodes and at another in those that confirm it."""

    few: float
    more: float
    asked: list[range] = field(default_factory=list)

    def copy(self) -> "Rates":
        return self


def evaluation_of(rate: float, seeds: range) -> Evaluation:
    good = round(rate * len(seeds))
    return Evaluation.of([EpisodeResult(seed, k < good, 0.0, 9, "") for k, seed in enumerate(seeds)], 1.0)


def trial_of(monkeypatch: pytest.MonkeyPatch, confirming: int, heard: list[float]) -> TrainingTests:
    def evaluate(policy: Any, env: Any, seeds: range) -> Any:
        policy.asked.append(seeds)
        return evaluation_of(policy.few if seeds == FEW else policy.more, seeds)

    monkeypatch.setattr(training_tests, "evaluate", evaluate)
    return TrainingTests(gym.Env(), 4, lambda step, told: heard.append(told.success_rate if told else -1), confirming)


def test_what_was_lucky_in_a_few_episodes_is_not_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = list[float]()
    tests = trial_of(monkeypatch, 8, heard)
    good, lucky, bad, better = Rates(0.75, 0.75), Rates(1.0, 0.5), Rates(0.5, 1.0), Rates(0.75, 0.875)
    policies: list[Any] = [good, lucky, bad, better]
    for policy in policies:
        tests.test(0, policy)
    assert good.asked == lucky.asked == better.asked == [FEW, MORE]
    assert bad.asked == [FEW]  # worse from the first
    assert tests.best == (pytest.approx((0.75 * 4 + 0.875 * 8) / 12), better)
    # What is told is what decides: the curve's last highest is the best.
    assert heard == pytest.approx([0.75, 8 / 12, 0.5, (0.75 * 4 + 0.875 * 8) / 12])


def test_without_more_episodes_the_few_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = trial_of(monkeypatch, 0, [])
    policies: list[Any] = [good := Rates(0.75, 1.0), lucky := Rates(1.0, 0.5), Rates(0.75, 1.0)]
    for policy in policies:
        tests.test(0, policy)
    assert good.asked == lucky.asked == [FEW] and tests.best == (1.0, lucky)
