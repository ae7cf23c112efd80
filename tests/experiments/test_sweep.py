"""Sweeps run an experiment with every combination of some settings, wherever they run, and say which did best."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import assert_refused, simworld

from simworld.errors import TrainingError
from simworld.experiments.recipes.contract import Contract
from simworld.experiments.recipes.learning import sweeping
from simworld.experiments.recipes.learning.algorithms import varied_settings

REACH = """
env: simworld/Reach-v0
algorithm: cloning
randomization: none
demonstrations: 6
settings: {epochs: 2, layers: 1}
seeds: [0, 1]
episodes: 4
success: 0.5
minutes: 1
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(REACH)
    return path


def test_every_combination_is_learnt_once_and_the_best_comes_first(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    asked = ("experiment", "sweep", experiment, "--vary", "hidden=4,64", "--vary", "epochs=1", "--out", out)
    told = simworld(*asked, "--workers", 2)
    assert told.returncode == 0, told.stderr
    rows = json.loads((out / "sweep.json").read_text())
    assert sorted(row["settings"]["hidden"] for row in rows) == [4, 64]
    assert all(row["settings"]["epochs"] == 1 and set(row["seeds"]) == {"0", "1"} for row in rows)
    assert [row["worst"] for row in rows] == sorted((row["worst"] for row in rows), reverse=True)
    for row in rows:
        assert row["worst"] == min(each["success_rate"] for each in row["seeds"].values())
        folder = out / f"hidden={row['settings']['hidden']},epochs=1"
        record = json.loads((folder / "seed1/policy/training.json").read_text())
        assert record["settings"]["hidden"] == row["settings"]["hidden"] and record["settings"]["layers"] == 1
    kept = {path: path.read_bytes() for path in out.rglob("*.json")}
    assert simworld(*asked).returncode == 0
    assert kept == {path: path.read_bytes() for path in out.rglob("*.json")}


def test_what_cannot_be_varied_is_refused_before_anything_is_learnt(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    for given, words in (
        (("--vary", "hiden=4"), ("hiden", "hidden")),
        (("--vary", "hidden=4,0"), ("hidden",)),
        (("--vary", "hidden"), ("--vary: must be NAME=VALUE",)),
        (("--vary", "hidden="), ("--vary: must be NAME=VALUE",)),
        (("--vary", "hidden=4", "--vary", "hidden=8"), ("hidden is there twice",)),
        (("--vary", "seed=4"), ("seed",)),
        (("--vary", "learning_rate=0.001,1e-3"), ("two values of a setting are the same",)),
        (tuple(part for k in range(12) for part in ("--vary", f"x{k}=0,1,2,3,4,5,6,7,8,9")), ("at most 10000",)),
    ):
        assert_refused(simworld("experiment", "sweep", experiment, "--out", out, *given), *words)
        assert not out.exists()


def test_what_diverges_never_succeeds_and_ends_no_sweep(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = sweeping.run_contract

    def run(contract: Contract, *rest: Any) -> dict[str, Any]:
        if contract.settings["hidden"] == 8:
            raise TrainingError("the training diverged")
        return ran(contract, *rest)

    monkeypatch.setattr(sweeping, "run_contract", run)
    out = tmp_path / "sweep"
    told = simworld("experiment", "sweep", experiment, "--vary", "hidden=8,64", "--seed", 0, "--out", out)
    assert told.returncode == 0, told.stderr
    rows = json.loads((out / "sweep.json").read_text())
    diverged = next(row for row in rows if row["settings"]["hidden"] == 8)["seeds"]["0"]
    assert (diverged["success_rate"], diverged["diverged"]) == (0.0, "the training diverged")


def test_lists_are_values_too() -> None:
    assert varied_settings(['marks=["a","b"],[]', "x=1,2.5", "name=auto,1"]) == {
        "marks": [["a", "b"], []],
        "x": [1, 2.5],
        "name": ["auto", 1],
    }
