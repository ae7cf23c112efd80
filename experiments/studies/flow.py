"""Policies by flow matching beside regression: the same demonstrations, layers, passes and schedule.

Two rows for each task and seed go to the results; what is there is not done again:

    python experiments/studies/flow.py
    python experiments/studies/flow.py --seeds 1 --tasks push --demonstrations 4 --epochs 1 --episodes 2 \\
        --results /tmp/f.json
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simworld.agents.collect import expert_episodes
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.imitation.cloning import Cloning, CloningSettings, clone
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.imitation.flow_matching import fit_flow
from simworld.agents.policy import Policy
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.experiments.cli.console import note, progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "flow.json"
METHODS = "regression", "flow"
RANDOMIZATION, NOISE = "default", 0.3


def learnt(method: str, data: Transitions, settings: CloningSettings) -> tuple[Policy, float]:
    """A policy, and how many minutes it took to learn it."""
    begin = time.perf_counter()
    policy: Policy
    with progress(method, settings.epochs) as tell:
        if method == "flow":
            policy = fit_flow(Cloning(data, settings), tell).act
        else:
            policy = clone(data, settings, lambda number, _: tell(number))
    return policy, (time.perf_counter() - begin) / 60


def summed_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The worst seed of each method, by task."""
    tasks = dict.fromkeys(row["task"] for row in rows)
    own = {task: [row for row in rows if row["task"] == task] for task in tasks}
    return {
        task: {
            method: min((row["success"] for row in own[task] if row["method"] == method), default=None)
            for method in METHODS
        }
        for task in tasks
    }


def main() -> None:
    """Learn each task with each seed by both, and add their rows to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=["place_in_box", "insert"])
    parser.add_argument("--demonstrations", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    about = {name: getattr(asked, name) for name in ("demonstrations", "epochs", "episodes")}
    rows = kept_rows(asked.results)
    check_alike(asked.results, rows, about)
    for task, seed in ((task, seed) for task in asked.tasks for seed in range(asked.seeds)):
        config = EnvConfig(task=task, randomization=RANDOMIZATION)
        settings = CloningSettings(interface=config.interface, epochs=asked.epochs, seed=seed)
        there = {(row["task"], row["seed"], row["method"]) for row in rows}
        missing = [method for method in METHODS if (task, seed, method) not in there]
        if not missing:
            continue
        data = transitions(expert_episodes(config, asked.demonstrations, 1_000 + seed, NOISE))
        with closing(ManipulationEnv(config)) as env:
            for method in missing:
                note(f"{task}, seed {seed}: {method}")
                policy, minutes = learnt(method, data, settings)
                found = evaluate(policy, env, range(asked.episodes))
                row = {"task": task, "seed": seed, "method": method, **about, "minutes": minutes}
                rows.append(row | {"success": found.success_rate, "interval": found.interval})
                told = {"machine": machine_description(), "versions": versions(), "summary": summed_up(rows)}
                write_json(asked.results, told | {"rows": rows})
    shown_rows = [
        [row["task"], row["seed"], row["method"], f"{row['success']:.1%}", f"{row['minutes']:.1f}"] for row in rows
    ]
    table("Learnt", ["task", "seed", "by", "success", "minutes"], shown_rows)


if __name__ == "__main__":
    main()
