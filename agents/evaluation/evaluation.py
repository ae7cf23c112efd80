"""One evaluation for every policy: success with its interval, return, length and what failures looked like."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import gymnasium as gym

from simworld.agents.evaluation.ending import most_steps
from simworld.agents.policy import Policy
from simworld.errors import ConfigurationError

MOST_STEPS = 100_000
"""Of an episode: an environment without a time limit would run for ever."""


@dataclass(frozen=True)
class EpisodeResult:
    """One evaluated episode; `failure` is "" where it succeeded."""

    seed: int
    success: bool
    total_reward: float
    length: int
    failure: str


@dataclass(frozen=True)
class Evaluation:
    """Results over seeds and their summary.

    `interval` is the Wilson 95% interval of the success rate (Wilson 1927).
    """

    episodes: int
    successes: int
    success_rate: float
    interval: tuple[float, float]
    mean_return: float
    mean_length: float
    failures: dict[str, int]
    seconds: float
    results: tuple[EpisodeResult, ...]

    @classmethod
    def of(cls, results: Sequence[EpisodeResult], seconds: float) -> Self:
        """The summary of some results."""
        n, successes = len(results), sum(result.success for result in results)
        return cls(
            episodes=n,
            successes=successes,
            success_rate=successes / n if n else math.nan,
            interval=wilson_interval(successes, n),
            mean_return=sum(result.total_reward for result in results) / max(n, 1),
            mean_length=sum(result.length for result in results) / max(n, 1),
            failures=dict(Counter(result.failure for result in results if not result.success).most_common()),
            seconds=seconds,
            results=tuple(results),
        )

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain data, with the seeds that failed instead of every result."""
        plain = asdict(self)
        del plain["results"]
        return plain | {"failed_seeds": [result.seed for result in self.results if not result.success]}


def evaluate(
    policy: Policy, env: gym.Env[Any, Any], seeds: Iterable[int], progress: Callable[[int], None] | None = None
) -> Evaluation:
    """Run the policy once from each seed.

    With a deterministic policy the result is a function of policy, environment and seeds. `progress` is told how many
    episodes are done. Several environments at once, and another's without a time limit, raise ConfigurationError.
    """
    if not isinstance(env, gym.Env):
        raise ConfigurationError(f"env: must be one environment of Gymnasium, got {type(env).__name__}")
    begin = time.perf_counter()
    results = []
    for seed in seeds:
        results.append(run_episode(policy, env, seed))
        if progress is not None:
            progress(len(results))
    return Evaluation.of(results, time.perf_counter() - begin)


def run_episode(
    policy: Policy, env: gym.Env[Any, Any], seed: int, options: dict[str, Any] | None = None
) -> EpisodeResult:
    """Run the policy from one seed to the end of the episode; `options` are those of `env.reset`."""
    observation, info = env.reset(seed=seed, options=options)
    total, length, over, grasped, most = 0.0, 0, False, False, most_steps(env)
    while not over:
        if length == MOST_STEPS:
            raise ConfigurationError(f"env: an episode must end within {MOST_STEPS} steps: give it max_episode_steps")
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        total, length, over = total + float(reward), length + 1, terminated or truncated or length + 1 == most
        grasped = grasped or info.get("events", {}).get("grasped", False)
    success = bool(info["is_success"])
    return EpisodeResult(seed, success, total, length, "" if success else _failure(info, grasped))


def wilson_interval(successes: float, n: float, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a proportion; (0, 1) without trials."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    margin = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, center - margin), min(1.0, center + margin)


def _failure(info: dict[str, Any], was_grasped: bool) -> str:
    """What the last instant of a failed episode looked like."""
    events, failure = info.get("events", {}), str(info.get("failure", ""))
    if failure:
        return failure.replace("_", " ")
    if "grasped" not in events:
        return "short of the goal"
    if events["grasped"]:
        return "in the box, not released" if events.get("in_box") else "held, short of the goal"
    if events.get("in_box"):
        return "in the box, not at rest"
    return "lost the object" if was_grasped else "never grasped"
