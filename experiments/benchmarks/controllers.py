"""PlaceInBox by its expert, with every robot and every way to control its arm: success, steps, and how deep hands sink.

Penetration is the deepest contact of the object with anything while the hand touches it, in millimetres. The rows of
robots that are not asked for stay as they were recorded.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.agents.policy import Policy
from simworld.assets.robot_search import robot_names
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import config_of, make_env
from simworld.physics.controllers import CONTROLS
from simworld.writing import write_json

ENV_ID, PRESET = "simworld/PlaceInBox-v0", "default"
RESULTS = Path(__file__).parents[1] / "results" / "controllers.json"


class Run(NamedTuple):
    """One episode."""

    success: bool
    steps: int
    deepest: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--robots", nargs="+", default=robot_names(), choices=robot_names())
    parser.add_argument("--seeds", type=int, default=500)
    asked = parser.parse_args()
    kept = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    rows = [row for row in kept if row["robot"] not in asked.robots]
    rows += [measure(robot, control, asked.seeds) for robot in asked.robots for control in CONTROLS]
    rows.sort(key=lambda row: row["robot"])
    table(f"{ENV_ID}, {PRESET}", list(rows[0]), [list(row.values()) for row in rows])
    about = {"env_id": ENV_ID, "randomization": PRESET, "machine": machine_description(), "versions": versions()}
    write_json(RESULTS, {"rows": rows, **about})


def measure(robot: str, control: str, seeds: int) -> dict[str, Any]:
    """A row: the expert of a robot and a control over the seeds from 0 on."""
    options = {"robot": robot, "control": control}
    policy, runs = expert(config_of(ENV_ID, **options)), []
    with closing(make_env(ENV_ID, PRESET, **options)) as env, progress(f"{robot}, {control}", seeds) as tell:
        for seed in range(seeds):
            runs.append(run(env, policy, seed))
            tell(seed + 1)
    return {"robot": robot, "control": control, "seeds": seeds, **_summary(runs)}


def run(env: gym.Env[Any, Any], policy: Policy, seed: int) -> Run:
    """Run the expert from a seed."""
    world, deepest, steps, over = manipulation(env).world, 0.0, 0, False
    observation, _ = env.reset(seed=seed)
    while not over:
        observation, _, terminated, truncated, _ = env.step(policy(observation))
        steps, over = steps + 1, terminated or truncated
        contacts = world.contacts("object")
        if any(contact.instance_b == 1 for contact in contacts):
            deepest = max([deepest, *(-contact.distance for contact in contacts)])
    return Run(terminated, steps, deepest)


def _summary(runs: Sequence[Run]) -> dict[str, Any]:
    depths = [1e3 * each.deepest for each in runs]
    return {
        "success": sum(each.success for each in runs) / len(runs),
        "failed seeds": [seed for seed, each in enumerate(runs) if not each.success],
        "mean steps": round(float(np.mean([each.steps for each in runs])), 1),
        "median depth mm": round(float(np.median(depths)), 2),
        "deepest mm": round(max(depths), 2),
    }


if __name__ == "__main__":
    main()
