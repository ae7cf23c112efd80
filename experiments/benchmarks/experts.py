"""Success of the scripted experts over 500 seeds, 200 with each other robot, and how well their grasps hold.

Slip is how far the object moves in the tool's frame, and penetration the deepest contact of the object, while the
expert holds it in the air for 2 s; both for every kind of object, at the nominal friction, mass and size, at any yaw.
"""

from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from simworld.agents.collect import manipulation
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.assets.catalogue import shipped
from simworld.distributions.univariate import Uniform
from simworld.envs import registered_tasks
from simworld.envs.env import ManipulationEnv
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import make_env
from simworld.geometry import compose, invert
from simworld.writing import write_json

SEEDS, OTHERS, GRASPS = 500, 200, 40
ROBOTS = ("xarm6", "iiwa")
"""All that ship but the usual one."""
SETTLE, HOLD = 15, 50
RESULTS = Path(__file__).parents[1] / "results" / "experts.json"


def main() -> None:
    successes = [measure_expert(env_id, "default") for env_id in registered_tasks()]
    others = {r: [measure_expert(i, "default", OTHERS, robot=r) for i in registered_tasks()] for r in ROBOTS}
    hardest = measure_expert("simworld/PlaceInBox-v0", "full")
    grasps = [measure_grasps(kind) for kind in ("cuboid", "cylinder", "sphere", *shipped())]
    table(
        f"Experts, default randomization; with {' and '.join(ROBOTS)}; at last PlaceInBox with all of it",
        ["environment", "success", "95% interval", "failures"],
        [
            [s["env_id"], s["success_rate"], s["interval"], s["failures"]]
            for s in (*successes, *chain(*others.values()), hardest)
        ],
    )
    table("Grasps held for 2 s", list(grasps[0]), [list(row.values()) for row in grasps])
    about = {"machine": machine_description(), "versions": versions()}
    write_json(RESULTS, {"experts": successes, **others, "full": hardest, "grasps": grasps, **about})


def measure_expert(env_id: str, preset: str, seeds: int = SEEDS, **options: Any) -> dict[str, Any]:
    """Success of a task's expert under a preset, in an environment with some options."""
    with closing(make_env(env_id, preset, **options)) as env, progress(f"{env_id}, {preset}", seeds) as tell:
        act = expert(manipulation(env).config)
        return {"env_id": env_id, **evaluate(act, env, range(seeds), tell).to_dict()}


def measure_grasps(kind: str) -> dict[str, Any]:
    """Slip and penetration in millimetres of grasps of a kind of object, held in the air."""
    poses = {"goal.on_table": 0, "objects.*.kind": kind, "objects.*.yaw": Uniform(-3.14, 3.14)}
    with closing(make_env("simworld/PickAndPlace-v0", poses)) as env, progress(kind, GRASPS) as tell:
        held = []
        for seed in range(GRASPS):
            held.append(hold(manipulation(env), seed))
            tell(seed + 1)
    kept = np.array([both for both in held if both is not None])
    return {
        "kind": kind,
        "grasps": GRASPS,
        "lost": GRASPS - len(kept),
        "slip median mm": round(float(np.median(kept[:, 0])), 3),
        "slip largest mm": round(float(kept[:, 0].max()), 3),
        "slips over 2 mm": int((kept[:, 0] > 2.0).sum()),
        "penetration median mm": round(float(np.median(kept[:, 1])), 3),
        "penetration largest mm": round(float(kept[:, 1].max()), 3),
    }


def hold(env: ManipulationEnv, seed: int) -> tuple[float, float] | None:
    """Grasp, lift and hold an object: its slip and its penetration in mm, or None where it was lost."""
    policy = expert(env.config)
    observation, _ = env.reset(seed=seed)
    terminated, steps = False, 0
    while not terminated and steps < 75:
        observation, _, terminated, _, info = env.step(policy(observation))
        steps += 1
    for _ in range(SETTLE):
        observation, *_ = env.step(policy(observation))
    before = compose(invert(env.world.tool_pose()), env.world.body_pose("object"))
    deepest = 0.0
    for _ in range(HOLD):
        observation, _, _, _, info = env.step(policy(observation))
        deepest = max([deepest, *(-contact.distance for contact in env.world.contacts("object"))])
        if not info["events"]["grasped"]:
            return None
    after = compose(invert(env.world.tool_pose()), env.world.body_pose("object"))
    return 1e3 * float(np.linalg.norm((after - before)[:3])), 1e3 * deepest


if __name__ == "__main__":
    main()
