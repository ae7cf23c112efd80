"""Experiments: what ships can be run, what is found is told whole, and what was stopped or changed is noticed."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import assert_refused, simworld

from simworld.agents.goals.goal_learning import check_goals
from simworld.agents.goals.goal_settings import GoalSettings
from simworld.envs import registered_tasks
from simworld.envs.tasks import shipped_task
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes import contract as contracts
from simworld.experiments.recipes.contract import Contract, contract_names, find_contract, run_contract
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.learning.algorithms import settings_of
from simworld.experiments.recipes.learning.learning_results import add_row, read_results
from simworld.randomization.presets import as_randomization

REACH, PICK = "simworld/Reach-v0", "simworld/PickAndPlace-v0"
TINY = {"steps": 1000, "envs": 2, "chunk": 100, "hidden": 8, "layers": 1, "batch_size": 16, "evaluation_episodes": 2}
ASKED: dict[str, Any] = {
    "env": REACH,
    "algorithm": "ddpg",
    "randomization": "none",
    "settings": TINY,
    "seeds": [0, 1],
    "episodes": 3,
    "success": 0.5,
    "minutes": 2,
}


@pytest.mark.parametrize("name", contract_names())
def test_what_ships_can_be_run(name: str) -> None:
    found = find_contract(name)
    assert found.env in registered_tasks() and found.about
    config = config_of(found.env, randomization=found.randomization, reward=found.reward, **found.options())
    quick = [] if found.quick_success is None else [found.quickly()]
    for each in (found, *quick):
        each.check()
        settings = settings_of(each.algorithm, config, each.settings)
        wanted = dict(each.settings)
        if "easier" in wanted:
            wanted["easier"] = tuple(map(as_randomization, wanted["easier"]))
        if "marks" in wanted:
            wanted["marks"] = tuple(wanted["marks"])
        assert {name: getattr(settings, name) for name in wanted} == wanted
        if isinstance(settings, GoalSettings):
            check_goals(config, settings)
    assert len(found.seeds) == 3
    for each in quick:
        assert len(each.seeds) == 1 and 0 < each.success < found.success and each.episodes == 50


def test_a_row_says_all_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Contract(**ASKED)
    told = list[tuple[str, int, int]]()
    row = run_contract(asked, tmp_path / "seed3", 3, lambda *each: told.append(each))
    assert row["way"] == {name: ASKED.get(name) for name in ("env", "algorithm", "randomization", "reward")} | {
        "settings": TINY,
        "demonstrations": 0,
        "noise": 0.0,
        "episodes": 3,
        "seed": 3,
    }
    assert row["steps"] == 1000 == row["curve"][-1]["step"] and row["minutes"] > 0
    assert 0 < row["cpu_minutes"] < 20  # of a second of steps, and imports
    assert row["success_rate"] == 1 - len(row["failed_seeds"]) / 3
    assert row["machine"]["cores"] and row["versions"]["torch"]
    assert ("steps", 1000, 1000) in told and told[-1] == ("episodes", 3, 3)
    policy = json.loads((tmp_path / "seed3/policy/training.json").read_text())
    assert policy["settings"]["seed"] == 3 and policy["settings"]["hidden"] == 8
    monkeypatch.setattr(contracts, "train_online", None)
    assert run_contract(asked, tmp_path / "seed3", 3) == row
    assert run_contract(Contract(**ASKED | {"minutes": 4, "about": "Else."}), tmp_path / "seed3", 3) == row
    with pytest.raises(ConfigurationError, match=r"seed3 is of another experiment: episodes is 3, not 4$"):
        run_contract(Contract(**ASKED | {"episodes": 4}), tmp_path / "seed3", 3)
    (tmp_path / "seed3/result.json").write_text("{}")
    with pytest.raises(DatasetError, match="is broken: way"):
        run_contract(asked, tmp_path / "seed3", 3)


def test_a_quick_look_is_shorter() -> None:
    whole = Contract(**ASKED | {"algorithm": "cloning", "demonstrations": 9, "settings": {"epochs": 8, "hidden": 8}})
    asked = {"quick": {"epochs": 2}, "quick_demonstrations": 4, "quick_success": 0.1}
    quick = Contract(**dict(whole) | asked).quickly()
    assert (quick.demonstrations, quick.settings, quick.success) == (4, {"epochs": 2, "hidden": 8}, 0.1)
    assert Contract(**dict(whole) | asked | {"quick_demonstrations": None}).quickly().demonstrations == 9


def test_demonstrations_are_part_of_what_it_takes(tmp_path: Path) -> None:
    cloned = {"algorithm": "cloning", "demonstrations": 3, "noise": 0.3, "settings": {"epochs": 1, "hidden": 8}}
    asked = Contract(**ASKED | cloned)
    run_contract(asked, tmp_path / "out", 1)
    (tmp_path / "out/result.json").unlink()
    (tmp_path / "out/demonstrations.seconds").write_text("3600.0")
    row = run_contract(asked, tmp_path / "out", 1)
    assert 60 <= row["minutes"] < 61 and len(row["curve"]) == 1 and "steps" not in row
    assert "cpu_minutes" not in row  # not made in one go
    (tmp_path / "out/result.json").unlink()
    with pytest.raises(DatasetError, match="noise"):  # of other demonstrations nothing is learnt
        run_contract(Contract(**ASKED | cloned | {"noise": 0.1}), tmp_path / "out", 1)


def found(success: float = 1.0, minutes: float = 1.0, seed: int = 0, **changed: Any) -> dict[str, Any]:
    return {"way": Contract(**ASKED | changed).way(seed), "success_rate": success, "minutes": minutes}


def test_the_worst_seed_stands_beside_what_is_wanted(tmp_path: Path) -> None:
    path, asked, push = tmp_path / "new/results.json", Contract(**ASKED), {"env": "simworld/Push-v0"}
    add_row(path, "reach", asked, 1, found(0.75, 3.0, 1))
    success, minutes = add_row(path, "reach", asked, 0, found(0.25))["bars"]
    assert (success["measured"], success["bar"], success["met"]) == (0.25, 0.5, False)
    assert (minutes["measured"], minutes["bar"], minutes["met"]) == (3.0, 2.0, False)
    assert success["what"] == "reach: success, worst of 2 seeds"
    one, _, *others = add_row(path, "a_push", Contract(**ASKED | push), 0, found(**push))["bars"]
    assert one["what"] == "a_push: success, one seed" and others == [success, minutes]
    # What is wanted may change, and is then wanted of all rows; how they are made may not.
    bars = add_row(path, "reach", Contract(**ASKED | {"minutes": 9}), 0, found(0.5))["bars"]
    assert [(bar["measured"], bar["bar"], bar["met"]) for bar in bars[2:]] == [(0.5, 0.5, True), (3.0, 9.0, True)]
    rows = read_results(path)["rows"]
    assert [(each["experiment"], each["seed"]) for each in rows] == [("a_push", 0), ("reach", 0), ("reach", 1)]
    with pytest.raises(ConfigurationError, match=r"has figures of 'reach' learnt in another way"):
        add_row(path, "reach", Contract(**ASKED | {"randomization": "full"}), 2, found(seed=2))
    assert read_results(path)["rows"] == rows


def test_a_task_of_ones_own_decides_what_is_measured(tmp_path: Path) -> None:
    task, told = tmp_path / "mine.yaml", list[dict[str, Any]]()
    for steps in (7, 8):
        task.write_text(shipped_task("reach").model_copy(update={"steps": steps, "name": f"own{steps}"}).to_json())
        told.append(Contract(**ASKED | {"env": str(task)}).way(0))
    one, other = told
    assert one["task"]["steps"] == 7 and other["task"]["steps"] == 8
    assert {**one, "task": 0} == {**other, "task": 0}
    assert "task" not in Contract(**ASKED).way(0)  # of which its id says all


def test_an_experiment_of_ones_own_is_one_command(tmp_path: Path) -> None:
    own, out = tmp_path / "mine.yaml", tmp_path / "out"
    own.write_text(json.dumps(ASKED))
    assert simworld("experiment", "run", own, "--seed", 1, "--out", out).returncode == 0
    assert [each["seed"] for each in read_results(out / "results.json")["rows"]] == [1]
    shown = simworld("experiment", "compare", out / "results.json")
    assert "mine: success, one seed" in shown.stdout and shown.returncode == 0
    own.write_text(json.dumps(ASKED | {"randomization": "default"}))
    results = ("--results", out / "results.json")
    refused = simworld("experiment", "run", own, "--out", tmp_path / "new", *results)
    assert_refused(refused, "has figures of 'mine' learnt in another way")
    assert_refused(simworld("check-learns", "--name", own, "--out", tmp_path / "new"), "quick_success: ")
    wrong = ("--name", "reach", "--name", "pusch")
    assert_refused(simworld("check-learns", *wrong, "--out", tmp_path / "new"), "unknown experiment 'pusch'")
    assert not (tmp_path / "new").exists()
    own.write_text(json.dumps(ASKED | {"quick_success": 1.0}))
    missed = simworld("check-learns", "--name", own, "--out", tmp_path / "other")
    assert missed.returncode == 2 and missed.stderr.endswith("error: too little is learnt of mine\n")
    assert "pick_and_place" in simworld("experiment", "list").stdout


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"algorithm": "cloning"},
            r"demonstrations: must be there for cloning and .* may be for ddpg and .*, got 0",
        ),
        ({"algorithm": "ppo", "demonstrations": 3}, r"demonstrations: must be there for .*, got 3 with ppo$"),
        ({"algorithm": "clonning", "demonstrations": 3}, "algorithm: must be one of .*, got 'clonning'; did you mean"),
        ({"noise": 0.3}, "noise: does nothing with ddpg; leave it out"),
        ({"algorithm": "cloning", "demonstrations": 3, "reward": "dense"}, "reward: does nothing with cloning"),
        ({"settings": {"seed": 1}}, "settings: the seed is one of `seeds`"),
        ({"episodes": 6000}, "episodes"),
        ({"quick_success": 0.0}, "quick_success"),
        ({"quick_demonstrations": 4, "algorithm": "cloning", "demonstrations": 3}, "quick_demonstrations: .* 3, got 4"),
        ({"quick": {"steps": 9}}, "quick_success: must be there for a quick look"),
        ({"successes": 1}, "successes"),
        ({"seeds": []}, "seeds"),
    ],
)
def test_what_is_no_experiment_is_refused(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps(ASKED | changed))
    with pytest.raises(ConfigurationError, match=told):
        find_contract(str(path))


def test_what_is_wrong_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown experiment 'reech'.*'reach'"):
        find_contract("reech")
    cloned = {"algorithm": "cloning", "demonstrations": 3, "settings": {"epoch": 1}}
    with pytest.raises(ConfigurationError, match="settings: cloning has no 'epoch'; did you mean 'epochs'"):
        run_contract(Contract(**ASKED | cloned), tmp_path / "out", 0)
    for changed, told in (
        ({"settings": {"steps": 100}}, "steps: must be more than"),
        ({"env": PICK, "reward": "staged", "demonstrations": 1000}, "learns in hindsight"),
        ({"algorithm": "sac", "settings": {"steps": 50}}, "steps: must be more than"),
        ({"env": PICK, "algorithm": "tqc", "reward": "staged"}, "learns in hindsight"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            Contract(**ASKED | {"settings": {}} | changed).check()
    seen = {"algorithm": "visuomotor", "demonstrations": 3, "cameras": ["front"], "settings": {"marks": ["lid"]}}
    with pytest.raises(ConfigurationError, match=r"^marks: there is no 'lid' in simworld/Reach-v0; there are "):
        run_contract(Contract(**ASKED | seen), tmp_path / "out", 0)
    assert not (tmp_path / "out").exists()
    for text in ("{}", "[]", '{"rows": [{}]}', "x"):
        (tmp_path / "broken.json").write_text(text)
        with pytest.raises(DatasetError, match=r"broken\.json is broken"):
            read_results(tmp_path / "broken.json")
