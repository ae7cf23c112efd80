"""What each algorithm of `simworld train` learns of PickAndPlace by itself.

Each has steps for about as many minutes on two cores, and its own settings: in hindsight where it can, and a reward for
each stage where it cannot. A row for each seed goes to the results, as of `simworld experiment run`; what is in the
folder is not learnt again:

    python experiments/studies/compared.py --folder /tmp/compared
    python experiments/studies/compared.py --folder /tmp/smoke --only sac --seed 0 --steps 500 --episodes 2 \\
        --results /tmp/compared.json
"""

import argparse
from pathlib import Path
from typing import Any

from simworld.experiments.cli.console import note, table
from simworld.experiments.recipes.contract import Contract, run_contract
from simworld.experiments.recipes.learning.learning_results import add_row, check_results, read_results, worst_rows

RESULTS = Path(__file__).parents[1] / "results" / "compared.json"


def _of(algorithm: str, reward: str | None = None, **settings: Any) -> Contract:
    return Contract(
        env="simworld/PickAndPlace-v0",
        algorithm=algorithm,
        randomization="none",
        reward=reward,
        settings=settings,
        success=0.97,
        minutes=10,
    )


COMPARED = {
    "ddpg": _of("ddpg", steps=500_000),
    "td3": _of("td3", steps=350_000),
    "ppo": _of("ppo", "staged", steps=400_000, envs=8, evaluate_every=50_000),
    "sac": _of("sac", steps=60_000, evaluate_every=10_000),
    "tqc": _of("tqc", steps=40_000, evaluate_every=10_000),
}


def main() -> None:
    """Learn with each algorithm and seed, and add their rows to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where what is learnt is kept")
    parser.add_argument("--only", nargs="+", choices=list(COMPARED), default=list(COMPARED))
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    contracts = {name: _changed(COMPARED[name], asked.steps, asked.episodes) for name in asked.only}
    for name, contract in contracts.items():
        contract.check()
        check_results(asked.results, name, contract)
    for seed in asked.seed:
        for name, contract in contracts.items():
            note(f"{name}, seed {seed}")
            row = run_contract(contract, asked.folder / name / f"seed{seed}", seed)
            add_row(asked.results, name, contract, seed, row)
    worst = worst_rows(read_results(asked.results)["rows"])
    told = [[name, f"{row['success_rate']:.1%}", f"{row['minutes']:.1f}", row["seeds"]] for name, row in worst.items()]
    table("Learnt, the worst of the seeds", ["", "success", "minutes", "seeds"], told)


def _changed(contract: Contract, steps: int | None, episodes: int) -> Contract:
    settings = contract.settings | ({} if steps is None else {"steps": steps})
    return contract.model_copy(update={"settings": settings, "episodes": episodes})


if __name__ == "__main__":
    main()
