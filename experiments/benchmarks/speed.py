"""Steps per second of the state environments on one core, beside panda-gym's PickAndPlace in the same run.

Rounds of the environments are interleaved, so that a slow minute of the machine hits all of them, and the ratio is
taken round by round. A round is one reset and 50 steps of the same kind of random actions, at 25 control steps a
second in every environment. Run with `make bench`; needs the extra `bench`.
"""

import statistics
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import gymnasium as gym

from simworld.envs import registered_tasks
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.extras import extras
from simworld.writing import write_json

PEER = "PandaPickAndPlace-v3"
ROUNDS, STEPS = 60, 50
RESULTS = Path(__file__).parents[1] / "results" / "speed.json"


def run_round(env: gym.Env[Any, Any]) -> tuple[float, float]:
    """Seconds of a reset and seconds of a step."""
    begin = time.perf_counter()
    env.reset()
    reset = time.perf_counter() - begin
    actions = [env.action_space.sample() for _ in range(STEPS)]
    begin = time.perf_counter()
    for action in actions:
        # Under the wrappers: an episode that ends by luck would otherwise stop the round.
        env.unwrapped.step(action)
    return reset, (time.perf_counter() - begin) / STEPS


def main() -> None:
    with extras():
        import panda_gym
    gym.register_envs(panda_gym)
    envs = {PEER: gym.make(PEER)}
    for env_id in registered_tasks():
        for randomization in ("none", "default"):
            envs[f"{env_id} {randomization}"] = gym.make(env_id, randomization=randomization)
    for env in envs.values():
        env.action_space.seed(0)
        env.reset(seed=0)
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    with progress("rounds", ROUNDS) as tell:
        for done in range(ROUNDS):
            for name, env in envs.items():
                rounds[name].append(run_round(env))
            tell(done + 1)
    rows = [_row(name, measured, rounds[PEER]) for name, measured in rounds.items()]
    table("One core, state observations, 25 Hz control", list(rows[0]), [list(row.values()) for row in rows])
    write_json(
        RESULTS,
        {
            "rows": rows,
            "machine": machine_description(),
            "versions": versions() | {"panda-gym": metadata.version("panda-gym")},
        },
    )


def _row(name: str, measured: list[tuple[float, float]], peer: list[tuple[float, float]]) -> dict[str, Any]:
    def per_step(rounds: list[tuple[float, float]]) -> list[float]:
        return [step + reset / STEPS for reset, step in rounds]

    ratios = [theirs / ours for ours, theirs in zip(per_step(measured), per_step(peer), strict=True)]
    step_ratios = [theirs / ours for (_, ours), (_, theirs) in zip(measured, peer, strict=True)]
    return {
        "environment": name,
        "steps/s": round(1 / statistics.median(step for _, step in measured)),
        "steps/s with resets": round(1 / statistics.median(per_step(measured))),
        "reset ms": round(1e3 * statistics.median(reset for reset, _ in measured), 1),
        "ratio": round(statistics.median(step_ratios), 2),
        "ratio with resets": round(statistics.median(ratios), 2),
    }


if __name__ == "__main__":
    main()
