"""Ranges that grow with what a policy can do, against the same ranges from the beginning.

PlaceInBox is learnt by DAgger in as many episodes, of about as many steps, of a part of `full`: once drawn from all of
its ranges, and once from ranges that begin at the nominal world and grow (automatic domain randomization). Both are
tried in the other part, which is held out. Two rows for each seed go to the results; what is there is not done again:

    python experiments/studies/adaptive.py
    python experiments/studies/adaptive.py --seeds 1 --first 4 --rounds 1 --each 4 --episodes 4 --results /tmp/a.json
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.imitation.dagger import DaggerSettings, GrowingRanges, imitate
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.experiments.cli.console import note, progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.randomization.presets import as_randomization
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "adaptive.json"
TASK, RANDOMIZATION, HELD_OUT = "place_in_box", "full", 0.2
RANGES = "fixed", "adaptive"
TRIED = "trained", "held out"
EPOCHS = 20
TRIALS, RANGE_STEPS = 1, 3
"""Of an end of a range: 58 factors have two each, which so few episodes have to try."""


def learnt(ranges: str, seed: int, first: int, rounds: int, each: int, episodes: int) -> dict[str, Any]:
    """How well a policy does that was learnt in ranges of a kind: in them all, and in what was held out."""
    own, other = as_randomization(RANDOMIZATION).split(HELD_OUT)
    config = EnvConfig(task=TASK, randomization=own)
    adaptive = ranges == "adaptive"
    settings = DaggerSettings(
        interface=config.interface,
        first=first,
        rounds=rounds,
        episodes=each,
        epochs=EPOCHS,
        round_epochs=EPOCHS,
        adaptive=adaptive,
        trials=TRIALS,
        range_steps=RANGE_STEPS,
        seed=seed,
    )
    growing = GrowingRanges(config, settings) if adaptive else None
    begin = time.perf_counter()
    env = _Counting(make(config))
    with closing(env), closing(make(config)) as test_env, progress(ranges, settings.total) as tell:
        policy = imitate(env, test_env, config, settings, lambda done, _: tell(done), growing)
    row: dict[str, Any] = {"ranges": ranges, "seed": seed, "minutes": (time.perf_counter() - begin) / 60}
    row["steps"] = env.steps
    row["grown"] = growing.grown if growing else 1.0
    for name, randomization in zip(TRIED, (own, other), strict=True):
        with closing(make(EnvConfig(task=TASK, randomization=randomization))) as world:
            found = evaluate(policy, world, range(episodes))
        row[name] = {"success": found.success_rate, "interval": found.interval, "failures": found.failures}
    return row


class _Counting(gym.Wrapper[Any, Any, Any, Any]):
    """Counts the steps that are taken."""

    steps = 0

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.steps += 1
        return self.env.step(action)


def summed_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """On how many seeds of how many ranges that grow are better in what was held out."""
    found = {(row["ranges"], row["seed"]): row[TRIED[1]]["success"] for row in rows}
    both = [seed for kind, seed in found if kind == RANGES[0] and (RANGES[1], seed) in found]
    better = sum(found[RANGES[1], seed] > found[RANGES[0], seed] for seed in both)
    return {"seeds": len(both), "adaptive is better": better, "bar": "3 of 3"}


def main() -> None:
    """Learn with each seed, and add its rows to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    settings = {name: getattr(asked, name) for name in ("first", "rounds", "each", "episodes")}
    rows = kept_rows(asked.results)
    check_alike(asked.results, rows, settings)
    about = {"task": TASK, "randomization": RANDOMIZATION, "held_out": HELD_OUT, "machine": machine_description()}
    for seed in range(asked.seeds):
        for ranges in RANGES:
            if (ranges, seed) not in {(row["ranges"], row["seed"]) for row in rows}:
                note(f"seed {seed}: {ranges} ranges")
                rows.append({**settings, **learnt(ranges, seed, **settings)})
                told = about | {"versions": versions(), "summary": summed_up(rows), "rows": rows}
                write_json(asked.results, told)
    shown = []
    for row in rows:
        rates = (f"{row[name]['success']:.1%}" for name in TRIED)
        shown.append([row["seed"], row["ranges"], *rates, f"{row['grown']:.0%}", row["steps"]])
    table("Learnt", ["seed", "ranges", *TRIED, "grown", "steps"], shown)


if __name__ == "__main__":
    main()
