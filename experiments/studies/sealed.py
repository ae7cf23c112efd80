"""What is found out of sealed worlds, and what it is worth there: methods, demonstrations and ranks.

In each world, mass, friction, delay and the motors are found out from 20 episodes of the expert. Then policies for
PlaceInBox are cloned with each method, from simulated demonstrations and 0, 10 or 50 of that world, and tried there, in
the simulation of `default`, and in the one that was found out. Rows go to the results; what is there is not done again:

    python experiments/studies/sealed.py --out /tmp/sealed
    python experiments/studies/sealed.py --out /tmp/sealed --seeds 1 --generations 2 --simulated 4 --episodes 4 \
        --results /tmp/sealed.json
"""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from simworld.agents.collect import expert_episodes
from simworld.agents.evaluation.evaluation import Evaluation, evaluate
from simworld.agents.imitation.cloning import CloningSettings, clone
from simworld.agents.imitation.dagger import DaggerSettings, GrowingRanges, imitate
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.reality.identification import IdentificationSettings, identify
from simworld.agents.reality.ranking import mean_maximum_rank_violation, pearson
from simworld.agents.reality.sealed_world import SealedWorld, sealed_worlds
from simworld.cores import usable_cores
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.experiments.cli.console import note, progress, table
from simworld.experiments.clock import Clock
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.randomization.files import load_randomization, save_randomization
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "sealed.json"
TASK, TRACED, NOISE = "place_in_box", ("place_in_box", "push"), 0.3
POSSIBLE = Randomization(
    {
        "objects.*.mass": {"loguniform": [0.03, 1.0]},
        "objects.*.friction": {"uniform": [0.2, 1.2]},
        "control.delay": {"uniform": [0.0, 15.0]},
        "robot.gain": {"uniform": [0.5, 1.5]},
        "robot.joints.*.damping": {"uniform": [0.5, 1.5]},
        "robot.backlash": {"uniform": [0.0, 0.003]},
    }
)
"""What is looked for, and where."""
BARS = "objects.*.mass", "objects.*.friction", "control.delay"
BAR, SEEDS = 0.1, 3
REAL = 0, 10, 50
"""Demonstrations of a world."""
SHARED, OWN, ALONE = ("none", "default", "full", "adaptive"), "identified", "real alone"
"""Methods that know nothing of a world, the one that does, and what is learnt of its demonstrations alone."""
METHODS = [
    *((method, real) for method in (*SHARED, OWN) for real in REAL),
    *((ALONE, real) for real in REAL if real),
]
"""And how many demonstrations of a world each has."""
EPOCHS = 20
TRIED = "real world", "simulation", "as found out"
"""Where each policy is tried."""
_REAL_SHARE = 0.25
"""Of the steps that are learnt from, where there are demonstrations of a world, by repetition."""


class Study:
    """One seed of it, in a folder that keeps what it takes long to make."""

    def __init__(self, folder: Path, seed: int, generations: int, simulated: int, episodes: int, workers: int) -> None:
        self._folder, self._seed, self._episodes = folder / f"seed{seed}", seed, episodes
        self._generations, self._simulated, self._workers = generations, simulated, workers
        self._folder.mkdir(parents=True, exist_ok=True)
        self._made: dict[Randomization, Transitions] = {}
        self._learnt: dict[tuple[str, int, str], tuple[NetworkPolicy, Evaluation]] = {}

    def identified(self, world: SealedWorld) -> dict[str, Any]:
        """What is found out of a world, and how far off that is."""
        traces = [trace for task in TRACED for trace in world.traces(task, 10, self._seed)]
        settings = IdentificationSettings(generations=self._generations, seed=self._seed)
        kept = self._folder / f"{world.name}_{self._generations}.jsonl"
        clock = Clock(kept)
        with progress(world.name, settings.total) as tell:

            def told_on(done: int) -> None:
                clock.tick()
                tell(done)

            found = identify(traces, POSSIBLE, settings, told_on, kept, self._workers)
        clock.save()
        values, errors = found.values(), world.errors(found.values())
        told = {
            name: {"value": values[name], "interval": [*estimate.interval], "error": errors[name]}
            for name, estimate in found.estimates.items()
        }
        minutes = Clock.read(kept) / 60
        row = {"part": "identification", "world": world.name, "estimates": told, "minutes": minutes}
        return row | {"workers": self._workers, "likely": found.randomization().to_plain()}

    def scores(self, world: SealedWorld, likely: Randomization, method: str, real: int) -> dict[str, Any]:
        """How a policy of a method does in a world, in simulation, and in the one that is likely to be like it."""
        found_out = as_randomization("default") | likely
        # What knows of no world is the same in each.
        key = method, real, world.name if real or method == OWN else ""
        if key not in self._learnt:
            policy = self._policy(world, found_out if method == OWN else self._randomization(method), real)
            self._learnt[key] = policy, self._tried(policy, as_randomization("default"))
        policy, simulated = self._learnt[key]
        found: dict[str, Evaluation] = {
            "real world": world.score(TASK, policy, self._episodes),
            "simulation": simulated,
            "as found out": self._tried(policy, found_out),
        }
        told = {name: {"success": one.success_rate, "interval": one.interval} for name, one in found.items()}
        return {"part": "scores", "world": world.name, "method": method, "real": real} | told

    def _shown(self, randomization: Randomization) -> Transitions:
        """Simulated demonstrations."""
        if randomization not in self._made:
            config = EnvConfig(task=TASK, randomization=randomization)
            self._made[randomization] = transitions(expert_episodes(config, self._simulated, 1_000 + self._seed, NOISE))
        return self._made[randomization]

    def _randomization(self, method: str) -> Randomization | None:
        """What a method that knows of no world draws its own from, if it does."""
        if method == ALONE:
            return None
        if method != "adaptive":
            return as_randomization(method)
        path = self._folder / f"{method}_{self._simulated}.yaml"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                save_randomization(path, self._adapted().to_plain())
        return as_randomization(load_randomization(path))

    def _adapted(self) -> Randomization:
        """The ranges of `full` as far as they grew while a policy was learnt in them."""
        config = EnvConfig(task=TASK, randomization="full")
        settings = DaggerSettings(
            interface=config.interface,
            first=self._simulated,
            rounds=4,
            episodes=self._simulated,
            epochs=1,  # the ranges are wanted, not the policy
            round_epochs=EPOCHS,
            adaptive=True,
            trials=1,
            range_steps=3,
            seed=self._seed,
        )
        ranges = GrowingRanges(config, settings)
        with closing(ManipulationEnv(config)) as env, progress("adaptive", settings.total) as tell:
            imitate(env, env, config, settings, lambda done, _: tell(done), ranges)
        return ranges.randomization

    def _policy(self, world: SealedWorld, randomization: Randomization | None, real: int) -> NetworkPolicy:
        """A policy of simulated demonstrations, where there is a randomization, and of those of a world.

        What that has shown is repeated until it is a share of all that counts.
        """
        simulated = [] if randomization is None else [self._shown(randomization)]
        shown = [world.demonstrations(TASK, real, self._seed, NOISE)] if real else []
        steps = sum(len(data.groups) for data in simulated)
        own = sum(len(data.groups) for data in shown)
        again = max(round(steps * _REAL_SHARE / (1 - _REAL_SHARE) / own), 1) if own else 0
        data = joined([*simulated, *[*shown] * again])
        return clone(data, CloningSettings(interface=EnvConfig(task=TASK).interface, epochs=EPOCHS, seed=self._seed))

    def _tried(self, policy: NetworkPolicy, randomization: Randomization) -> Evaluation:
        with closing(ManipulationEnv(EnvConfig(task=TASK, randomization=randomization))) as env:
            return evaluate(policy, env, range(self._episodes))


def joined(parts: Sequence[Transitions]) -> Transitions:
    """All steps of several, in order."""
    observations, goals, actions, groups = zip(*parts, strict=True)
    own = {id(each): k for k, each in enumerate(groups)}  # what is there again is of the same groups
    named = [f"{own[id(each)]}/{group}" for each in groups for group in each]
    return Transitions(np.concatenate(observations), np.concatenate(goals), np.concatenate(actions), named)


def summed_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The worst error of what is found out, by seed and world; the methods in their order; and how ranks carry over."""
    errors = {
        f"seed {row['seed']}, {row['world']}": max(row["estimates"][name]["error"] for name in BARS)
        for row in rows
        if row["part"] == "identification"
    }
    orders, ranks = dict[str, list[str]](), dict[str, dict[str, float | None]]()
    scores = [row for row in rows if row["part"] == "scores"]
    for seed, world in dict.fromkeys((row["seed"], row["world"]) for row in scores):
        own = [row for row in scores if (row["seed"], row["world"]) == (seed, world)]
        first = sorted((row for row in own if row["real"] == 0), key=lambda row: -row["real world"]["success"])
        orders[f"seed {seed}, {world}"] = [row["method"] for row in first]
        true = [row["real world"]["success"] for row in own]
        for name in TRIED[1:]:
            ours = [row[name]["success"] for row in own]
            told = {"mmrv": mean_maximum_rank_violation(ours, true), "pearson": pearson(ours, true)}
            ranks[f"seed {seed}, {world}, {name}"] = told
    return {
        "worst errors": errors,
        "bar": BAR,
        "met": len(errors) >= SEEDS * len(sealed_worlds()) and max(errors.values()) <= BAR,
        "orders": orders,
        "alike": len(orders) > 1 and len({*map(tuple, orders.values())}) == 1,
        "ranks": ranks,
    }


def main() -> None:
    """Find out, learn and try with each seed, and add its rows to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--generations", type=int, default=20)
    parser.add_argument("--simulated", type=int, default=300)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--workers", type=int, default=usable_cores(), help="that find out")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--world", nargs="*", default=sealed_worlds(), help="others may be done at the same time")
    asked = parser.parse_args()
    settings = {name: getattr(asked, name) for name in ("generations", "simulated", "episodes")}
    check_alike(asked.results, kept_rows(asked.results), settings)
    about = {"task": TASK, "possible": POSSIBLE.to_plain(), "machine": machine_description(), "versions": versions()}

    def add(seed: int, row: Mapping[str, Any]) -> None:
        with FileLock(f"{asked.results}.lock"):
            rows = [*kept_rows(asked.results), {"seed": seed, **settings, **row}]
            write_json(asked.results, about | {"summary": summed_up(rows), "rows": rows})

    for seed in range(asked.seeds):
        study = Study(asked.out, seed, workers=asked.workers, **settings)
        there = [row for row in kept_rows(asked.results) if row["seed"] == seed]
        for name in asked.world:
            world = SealedWorld.named(name)
            own = [row for row in there if row["world"] == name]
            found = next((row for row in own if row["part"] == "identification"), None)
            if found is None:
                note(f"seed {seed}, {name}: what is it like")
                add(seed, found := study.identified(world))
            scored = {(row["method"], row["real"]) for row in own if row["part"] == "scores"}
            for method, real in METHODS:
                if (method, real) not in scored:
                    note(f"seed {seed}, {name}: {method}, {real} demonstrations")
                    add(seed, study.scores(world, Randomization(found["likely"]), method, real))
    shown = [
        [row["seed"], row["world"], row["method"], row["real"], *(f"{row[k]['success']:.0%}" for k in TRIED)]
        for row in kept_rows(asked.results)
        if row["part"] == "scores"
    ]
    table("Learnt", ["seed", "world", "method", "demonstrations", *TRIED], shown)


if __name__ == "__main__":
    main()
