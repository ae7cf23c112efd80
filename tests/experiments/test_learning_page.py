"""docs/learning.md says what is on record, and what it asks for can be asked for."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from simworld.experiments.cli.app import app
from simworld.experiments.figures import learning_plot
from simworld.experiments.figures.page_tables import filled
from simworld.experiments.recipes.contract import contract_names, find_contract
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.learning.algorithms import asked_settings, settings_of
from simworld.experiments.recipes.learning.learning_results import read_results

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/learning.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    simworld ")]


def test_the_page_says_what_was_reached() -> None:
    assert filled(PAGE) == PAGE
    table = PAGE.split("<!-- learning.json -->")[1].split("<!-- end -->")[0].strip().splitlines()
    rows = {line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in table}
    for bar in read_results(ROOT / "experiments/results/learning.json")["bars"]:
        name, what = bar["what"].split(": ")
        success, least, minutes, most, _ = rows[name]
        if what.startswith("success"):
            told, wanted = float(success[:-1]) / 100, float(least[2:-1]) / 100
        else:
            told, wanted = float(minutes), float(most[2:])
        assert told == pytest.approx(bar["measured"], abs=0.051) and wanted == pytest.approx(bar["bar"])


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
    changes = [each for line in COMMANDS for each in re.findall(r"--set '?([^\s']+)", line)]
    of_goals, of_sight = changes
    assert asked_settings(None, [of_sight], {}) == {"marks": ["object", "box"]}
    asked = asked_settings(tmp_path / "settings.yaml", [of_goals], {})
    config = config_of("simworld/Push-v0", randomization="default")
    settings = settings_of("ddpg", config, asked)
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


def test_the_plot_has_a_line_for_each_seed_through_its_tests() -> None:
    def row(name: str, seed: int, *points: tuple[float, float]) -> dict[str, Any]:
        curve = [{"seconds": seconds, "success": success} for seconds, success in points]
        wanted = {"success": 0.5, "minutes": 9.0}
        return {"experiment": name, "seed": seed, "curve": curve, "wanted": wanted, "success_rate": 0.5}

    cloned = row("cloned", 0) | {"curve": [{"epoch": 1, "loss": 0.5}]}
    shown = learning_plot.drawn(
        [cloned, row("a", 0, (60, 0.5), (120, 1.0)), row("a", 1, (120, 0.0)), row("b", 0, (6, 1))]
    )
    lines = re.findall(r'<polyline class="curve" points="(.*?)">', shown)
    assert len(lines) == 3 and shown.count('class="wanted"') == 2 and "cloned" not in shown
    points = [[tuple(map(float, each.split(","))) for each in line.split()] for line in lines]
    (start, middle, end), (_, low) = points[0], points[1]
    assert middle == ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2) and end[1] < start[1]
    assert low == (end[0], start[1])
    both = learning_plot.drawn([row("a", 0, (60, 0.5)), row("b", 0, (6, 1))], {"a": [row("", 3, (120, 0.25))]})
    (peer,) = re.findall(r'<polyline class="beside" points="\S+ (\S+),(\S+)"><title>(.*?)<', both)
    assert float(peer[0]) == end[0] and float(peer[1]) > middle[1] and "panda-gym, seed 3" in peer[2]
    assert (ROOT / "experiments/results/learning.svg").read_text() == learning_plot.on_record()
