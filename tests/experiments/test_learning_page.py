"""docs/learning.md says what is on record, and what it asks for can be asked for."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from simworld.experiments.cli.app import app
from simworld.experiments.recipes.contract import contract_names, find_contract
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.learning import asked_settings, settings_of
from simworld.experiments.recipes.learning_results import read_results

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/learning.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    simworld ")]


def test_the_page_says_what_was_reached() -> None:
    found = read_results(ROOT / "experiments/results/learning.json")
    for bar in found["bars"]:
        sign = "≤" if bar["rule"] == "at most" else "≥"
        assert f"| {bar['what']} | {bar['measured']:.4g} | {sign} {bar['bar']:g} |" in PAGE, bar


def test_what_is_on_record_is_what_ships_would_learn() -> None:
    rows = json.loads((ROOT / "experiments/results/learning.json").read_text())["rows"]
    assert {"pick_and_place", "push", "reach"} <= {row["experiment"] for row in rows}
    for row in rows:
        asked = find_contract(row["experiment"])
        assert row["way"] == asked.way(row["seed"]) and row["wanted"] == asked.wanted(), row["experiment"]
        assert row["seed"] in asked.seeds and row["way"]["episodes"] == 200 and row["machine"] and row["versions"]


def test_the_files_of_the_page_are_settings_and_an_experiment(tmp_path: Path) -> None:
    for name, block in zip(("settings", "reach"), BLOCKS[:2], strict=True):
        (tmp_path / f"{name}.yaml").write_text(block)
    assert find_contract(str(tmp_path / "reach.yaml")) == find_contract("reach")
    changes = [each for line in COMMANDS for each in re.findall(r"--set (\S+)", line)]
    assert len(changes) == 1
    asked = asked_settings(tmp_path / "settings.yaml", changes, {})
    config = config_of("simworld/Push-v0", randomization="default")
    settings = settings_of("ddpg", config.interface, asked)
    assert (settings.learning_rate, settings.hidden, settings.envs, settings.penalty) == (3e-4, 128, 8, 0.5)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_one(line: str) -> None:
    words = shlex.split(line)[1:]
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), line
    context = command.make_context(line, words)
    if "experiment run" in line and "yaml" not in line:
        assert context.params["name"] in contract_names()
