"""docs/controllers.md says what is so: its tables, its examples, and the walk to a control of one's own."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.agents.evaluation.evaluation import wilson_interval
from simworld.assets.robot_search import find_robot
from simworld.physics.controllers import CONTROLS, make_control
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.scene.model import Robot, Scene

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/controllers.md").read_text(encoding="utf-8")
LISTING, EXAMPLE, WALK = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def names_of(text: str) -> list[str]:
    """The numbers of a cell such as `dx, dy` or `joint1 to joint4`."""
    if " to " in text:
        first, last = (int(name.removeprefix("joint")) for name in text.split(" to "))
        return [f"joint{number}" for number in range(first, last + 1)]
    return text.split(", ")


def test_the_page_says_how_many_numbers_each_has() -> None:
    sizes = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE))
    assert sizes == {name: str(make_control(name, find_robot("panda"), Timing()).size) for name in CONTROLS}


def test_the_page_says_what_the_numbers_stand_for() -> None:
    rows = re.findall(r"^\| (`\w+`|all) \| ([\w ,]+) \| ([\w/]+) \| (\d[\d.]*|its upper limit) \|", PAGE, re.MULTILINE)
    told: dict[tuple[str, str], tuple[str, str]] = {}
    for control, cell, unit, most in rows:
        for name in CONTROLS if control == "all" else [control.strip("`")]:
            told |= {(name, number): (unit, most) for number in names_of(cell)}
    for name in CONTROLS:
        for number in make_control(name, find_robot("panda"), Timing()).numbers:
            unit, most = told.pop((name, number.name))
            assert unit == number.unit
            assert most == "its upper limit" or (float(most), -float(most)) == pytest.approx((number.high, number.low))
    assert not told


def test_the_examples_do_as_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    exec(LISTING, {})
    assert "joint6: -0.1256 to 0.1256 rad, move" in capsys.readouterr().out
    exec(EXAMPLE, {})
    assert float(capsys.readouterr().out) < 2e-3


def test_a_control_of_ones_own_is_the_file_of_the_walk() -> None:
    made: dict[str, Any] = {}
    exec(WALK, made)
    with World() as world:
        world.load(Scene(robot=Robot(position=(-0.6, 0.0, 0.0)), bodies=()))
        control, before = made["CONTROL"](world.model, world.timing), world.tool_pose()
        controller = control.begin(world)
        for _ in range(10):
            controller.apply(np.array([0.5, -1.0]))
            world.step()
        for _ in range(20):
            controller.apply(controller.hold())
            world.step()
        assert world.tool_pose()[2] - before[2] > 0.1
        assert np.abs(world.tool_pose() - before)[:2].max() < 5e-3
        assert world.opening() < 0.01
    assert [number.name for number in control.numbers] == ["dz", "gripper"]


def test_the_page_has_the_recorded_results() -> None:
    rows = json.loads((ROOT / "experiments/results/controllers.json").read_text())["rows"]
    assert {(row["robot"], row["control"]) for row in rows} >= {(r, c) for r in ("panda", "xarm6") for c in CONTROLS}
    for row in rows:
        line = f"| {row['robot']} | `{row['control']}` | {row['success']:.1%} | {row['median depth mm']} | "
        assert line + f"{row['deepest mm']} |" in PAGE, row
        # No worse than 95 of 100, as far as so many seeds can tell.
        assert wilson_interval(round(row["success"] * row["seeds"]), row["seeds"])[1] >= 0.95 and row["seeds"] >= 500
