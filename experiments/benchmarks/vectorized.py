"""Steps per second of many environments in one process, beside one environment and beside as many in a loop.

Rounds are interleaved, so that a slow minute of the machine hits all, and ratios are taken round by round. One core is
used, and two by two threads. Steps are counted without resets. Run with `make bench`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.experiments.benchmarks.measuring import Bar, Seconds, clocks, cores, now, pinned, ratios, since, spread
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.writing import write_json

ENV, WORLDS, ROUNDS, STEPS, WARM = "simworld/PickAndPlace-v0", 16, 30, 10, 3
IMAGES: dict[str, Any] = {"observation": "rgb", "image_size": 84}
RESULTS = Path(__file__).parents[1] / "results" / "vectorized.json"

LOOP, STATES = "state, in a loop", "state, vectorized"
ONE, TOGETHER, TWO_CORES = "rgb, one environment", "rgb, vectorized", "rgb, vectorized, two threads"

Run = Callable[[NDArray[np.float32]], Any]


def in_turn(count: int, **options: Any) -> Run:
    """Steps environments with the actions (n, size), one after the other."""
    envs = [gym.make(ENV, max_episode_steps=-1, **options) for _ in range(count)]
    for seed, env in enumerate(envs):
        env.reset(seed=seed)

    def run(actions: NDArray[np.float32]) -> None:
        for k, action in enumerate(actions):
            envs[k % count].step(action)

    return run


def vectorized(threads: int, **options: Any) -> Run:
    """Steps them together."""
    envs = gym.make_vec(ENV, WORLDS, max_episode_steps=-1, threads=threads, **options)
    envs.reset(seed=0)
    return envs.step


def measure() -> dict[str, list[Seconds]]:
    """Seconds of a step of one environment, by round."""
    one, two = cores()[-1:], cores()[-2:]
    with pinned(two):  # threads stay where they begin
        runs: dict[str, tuple[Run, Sequence[int]]] = {
            LOOP: (in_turn(WORLDS), one),
            STATES: (vectorized(1), one),
            ONE: (in_turn(1, **IMAGES), one),
            TOGETHER: (vectorized(1, **IMAGES), one),
            TWO_CORES: (vectorized(2, **IMAGES), two),
        }
    measured: dict[str, list[Seconds]] = {name: [] for name in runs}
    generator = np.random.default_rng(0)
    with progress("rounds", ROUNDS) as tell:
        for number in range(WARM + ROUNDS):
            actions = generator.uniform(-1, 1, (STEPS, WORLDS, 4)).astype(np.float32)
            for name, (run, where) in runs.items():
                with pinned(where):
                    begin = now()
                    for some in actions:
                        run(some)
                    measured[name].append(since(begin, STEPS * WORLDS))
            tell(max(0, number + 1 - WARM))
    return {name: seconds[WARM:] for name, seconds in measured.items()}


def main() -> None:
    """Measure it, tell it and keep it."""
    measured = measure()

    def bar(what: str, least: float, name: str, beside: str) -> dict[str, Any]:
        wall, cpu = (
            spread(ratios(theirs, ours), 2)["median"]
            for theirs, ours in zip(clocks(measured[beside]), clocks(measured[name]), strict=True)
        )
        return Bar(what, wall, least, cpu=cpu).to_dict()

    steps = {name: spread([1 / second for second in clocks(seconds)[0]], 0) for name, seconds in measured.items()}
    bars = [
        bar(f"state: {WORLDS} worlds / as many environments in a loop", 1, STATES, LOOP),
        bar(f"rgb 84x84: {WORLDS} worlds on two cores / one environment on one", 1.8, TWO_CORES, ONE),
        bar(f"rgb 84x84: {WORLDS} worlds on one core / one environment", 1, TOGETHER, ONE),
    ]
    table("Steps per second", ["what", "median"], [[name, step["median"]] for name, step in steps.items()])
    table("Bars", list(bars[0]), [list(row.values()) for row in bars])
    write_json(RESULTS, {"steps/s": steps, "bars": bars, "machine": machine_description(), "versions": versions()})


if __name__ == "__main__":
    main()
