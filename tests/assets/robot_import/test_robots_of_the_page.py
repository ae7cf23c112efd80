"""The robots that docs/robots.md imports from an arm and a gripper of two files: what it says gives them."""

import re
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simworld.agents.collect import manipulation
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.assets.robot import RobotModel
from simworld.assets.robot_search import find_robot
from simworld.assets.roots import VARIABLE, data_path
from simworld.assets.urdf import parse_urdf, urdf_tree
from simworld.experiments.cli.app import app
from simworld.experiments.recipes.environments import make_env

pytest.importorskip("trimesh")
PAGE = (Path(__file__).parents[3] / "docs/robots.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))


def imported(name: str, **places: Path) -> RobotModel:
    """The robot that the page's command of this name gives, of what the shell knows as `places`."""
    joined = PAGE.replace("\\\n", " ")
    (command,) = re.findall(rf"^simworld (robot import .*--name {name} .*)$", joined, re.MULTILINE)
    for place, path in {"DATA": data_path(), **places}.items():
        command = command.replace(f"${place}", str(path))
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0 and f"{name} holds a cube in its fingers" in result.output
    return find_robot(name)


def test_the_iiwa_that_ships_is_what_its_sdfs_give() -> None:
    made, shipped = imported("my_iiwa"), find_robot("iiwa")
    mine, theirs = (urdf_tree(parse_urdf(model.urdf), "iiwa") for model in (made, shipped))
    assert mine == theirs
    assert (made.tool, made.base, made.mounts) == (shipped.tool, shipped.base, shipped.mounts)
    assert made.rest == pytest.approx(shipped.rest, abs=0.05)
    assert (made.gripper.least, made.gripper.most) == (0.0, 0.11) == (shipped.gripper.least, shipped.gripper.most)
    assert made.gripper.opening(made.gripper.targets(0.08)) == pytest.approx(0.08)
    for visual in shipped.visuals[-3:]:
        assert (made.urdf.parent / "meshes" / visual.mesh.name).read_bytes() == visual.mesh.read_bytes()


def test_a_ur5_of_the_index_does_what_the_others_do() -> None:
    try:
        files = distribution("example-robot-data").files or []
    except PackageNotFoundError:
        pytest.skip("needs the robots of example-robot-data: pip install --no-deps example-robot-data")
    path = next(Path(str(file.locate())) for file in files if file.name == "ur5_robot.urdf")
    model = imported("ur5", ROBOTS=path.parents[2])
    assert model.arm_joints == 6 and model.gripper.most == 0.11
    # The tool points down with the fingers as tasks have them: no half turn comes first.
    assert model.gripper.fingers == ("gripper_right", "gripper_left")
    env = make_env("simworld/PlaceInBox-v0", "default", robot="ur5")
    result = evaluate(expert(manipulation(env).config), env, range(20))
    assert result.successes >= 18, result.to_dict()
    env.close()
