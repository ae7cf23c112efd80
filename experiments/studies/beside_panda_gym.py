"""What rl-zoo's recipe learns of panda-gym's PickAndPlace in the minutes that ours has for the same task.

TQC in hindsight, as `rl-baselines3-zoo` has it for that environment, on this machine: what is learnt is tested on the
way, and at the end on as many episodes as our contracts take. A row for each seed, beside `pick_and_place` in
learning.json; what is there is not learnt again:

    python experiments/studies/beside_panda_gym.py
    python experiments/studies/beside_panda_gym.py --minutes 0.5 --seeds 1 --episodes 5 --results /tmp/beside.json
"""

import argparse
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym

from simworld.agents.evaluation.evaluation import wilson_interval
from simworld.experiments.cli.console import note, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.extras import extras
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "beside_panda_gym.json"
ENV, TESTS, FIRST_TEST = "PandaPickAndPlace-v3", 20, 1_000_000


def learnt(seed: int, minutes: float, episodes: int) -> dict[str, Any]:
    """What is learnt with a seed in so many minutes, tests left out: its curve, and how it does at the end."""
    with extras():
        gym.register_envs(import_module("panda_gym"))
        from simworld.agents.reinforcement.zoo_recipe import begin_recipe, with_time
    test_env = with_time(gym.make(ENV), test=True)
    model = begin_recipe(with_time(gym.make(ENV)), seed)
    curve: list[dict[str, float]] = []
    begin, spent, next_test = time.perf_counter(), 0.0, 60.0

    def goes_on(*_: Any) -> bool:
        """Test once a minute; whether there are minutes left."""
        nonlocal spent, next_test
        now = time.perf_counter() - begin - spent
        if now >= next_test:
            rate = success(model, test_env, range(FIRST_TEST, FIRST_TEST + TESTS))
            curve.append({"step": model.num_timesteps, "success": rate, "seconds": now})
            next_test, spent = now + 60.0, time.perf_counter() - begin - now
        return now < 60 * minutes

    model.learn(10**9, callback=goes_on)
    rate = success(model, test_env, range(episodes))
    row = {"seed": seed, "minutes": minutes, "steps": model.num_timesteps, "success_rate": rate}
    return row | {"interval": wilson_interval(rate * episodes, episodes), "episodes": episodes, "curve": curve}


def success(model: Any, env: gym.Env[Any, Any], seeds: Sequence[int]) -> float:
    """The share of episodes, one of each seed, that end where they are to."""
    reached = 0
    for seed in seeds:
        observation, info = env.reset(seed=seed)
        over = False
        while not over:
            action, _ = model.predict(observation, deterministic=True)
            observation, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
        reached += bool(info["is_success"])
    return reached / len(seeds)


def main() -> None:
    """Learn with each seed, and add its row to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    settings = {"minutes": asked.minutes, "episodes": asked.episodes}
    rows = kept_rows(asked.results)
    check_alike(asked.results, rows, settings)
    for seed in range(asked.seeds):
        if seed not in {row["seed"] for row in rows}:
            note(f"seed {seed}: {asked.minutes:g} minutes")
            rows.append(learnt(seed, **settings))
            from simworld.agents.reinforcement.zoo_recipe import RECIPE

            about = {"env": ENV, "recipe": {"algorithm": "TQC", **RECIPE}, "machine": machine_description()}
            write_json(asked.results, about | {"versions": versions(), "rows": rows})
    shown = [[row["seed"], f"{row['success_rate']:.1%}", row["steps"], row["minutes"]] for row in rows]
    table("Learnt", ["seed", "success", "steps", "minutes"], shown)


if __name__ == "__main__":
    main()
