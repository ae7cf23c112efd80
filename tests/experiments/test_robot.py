"""`simworld robot`: what it lists, imports and refuses."""

import json
from pathlib import Path

import pytest
from crane import URDF
from typer.testing import CliRunner, Result

from simworld.assets.robot_search import find_robot, robot_of_digest
from simworld.assets.roots import VARIABLE
from simworld.experiments.cli.app import app

pytest.importorskip("trimesh")


@pytest.fixture
def urdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "own"))
    (tmp_path / "crane.urdf").write_text(URDF)
    return tmp_path / "crane.urdf"


def simworld(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["robot", *map(str, arguments)])


def test_a_robot_is_imported_listed_and_used(urdf: Path) -> None:
    done = json.loads(simworld("import", urdf, "--rest", "0.1,0.2,0.3", "--base", "-0.4,0,0", "--json").stdout)
    assert done["name"] == "crane" and Path(done["folder"]) == urdf.parent / "own" / "robots" / "crane"
    assert {"what": "merged", "part": "palm", "how": "into wrist"} in done["done"]
    listed = {row["name"]: row["digest"] for row in json.loads(simworld("--json").stdout)}
    assert {"panda", "xarm6"} < set(listed) and listed["crane"] == find_robot("crane").digest
    assert find_robot("crane").base == (-0.4, 0.0, 0.0)
    assert "crane" in simworld().stdout
    again = simworld("import", urdf)
    assert again.exit_code == 2 and "there is a robot 'crane' already: choose another --name" in again.output


def test_a_broken_robot_is_named_beside_the_others(urdf: Path) -> None:
    folder = urdf.parent / "own" / "robots"
    folder.mkdir(parents=True)
    (folder / "bad.yaml").write_text("bse: [0, 0, 0]")
    (folder / "panda.yaml").write_text("{")
    shown = simworld()
    assert shown.exit_code == 0 and "xarm6" in shown.stdout
    assert f"broken: {folder / 'bad.yaml'}: bse: there is no such key; did you mean 'base'?" in shown.output
    panda = find_robot("panda")
    assert robot_of_digest("panda", panda.digest) is panda


def test_what_was_done_is_a_table(urdf: Path) -> None:
    shown = simworld("import", urdf, "--rest", "0.1,0.2,0.3", "--name", "other", "--fix", "slide", "--fix", "lift")
    assert shown.exit_code == 2 and "--rest: the arm has 1 joints, got 3" in shown.output
    shown = simworld("import", urdf, "--rest", "0.1,0.2,0.3", "--name", "other")
    assert "into wrist" in shown.stdout and "robot='other'" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--fingers", "left"), "--fingers: must be two links, with a comma between them, got 'left'"),
        (("--base", "1,2"), "--base: must be x,y,z, got '1,2'"),
        (("--rest", "a"), "--rest: must be numbers joined by commas, got 'a'"),
        (("--mimic", "left_slide"), "--mimic: must be NAME=VALUE, got 'left_slide'"),
        (("--mimic", "a=b*0"), "--mimic: a factor must be a number other than 0, got 'a=b*0'"),
        (("--mimic", "a=b*2,3"), "--mimic: a factor must be a number other than 0, got 'a=b*2,3'"),
        (("--gripper-at", "0,0,0,0,0,1"), "--gripper-at 0,0,0,0,0,1: says where a --gripper is, and there is none"),
        (("--limit", "slide=1"), "--limit: must be LOWER,UPPER, got '1'"),
        (("--limit", "slid=0,1"), "--limit slid: there is no moving joint 'slid'; did you mean 'slide'?"),
        (("--limit", "slide=1,0"), "--limit slide: must have lower < upper, got 1.0 and 0.0"),
        (("--flange", "palm"), "--flange palm: says where a --gripper is, and there is none"),
        (("--gripper", "no.urdf"), "cannot read the URDF no.urdf"),
        (("--package", "a"), "--package: must be NAME=VALUE, got 'a'"),
        (("--name", "a b"), "a robot's name must begin with a letter"),
        (("--name", "panda"), "there is a robot 'panda' already"),
    ],
)
def test_a_wrong_option_is_one_line(urdf: Path, arguments: tuple[str, ...], line: str) -> None:
    shown = simworld("import", urdf, *arguments)
    assert shown.exit_code == 2 and line in shown.output
    assert not (urdf.parent / "own" / "robots").exists()
