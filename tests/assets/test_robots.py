"""Robots as data: what a YAML and a URDF make, how robots are found, and what is refused."""

import re
from pathlib import Path

import pytest
import yaml
from crane import URDF, YAML, write

from simworld.assets.robot_file import RobotFile, read_robot
from simworld.assets.robot_search import find_robot, robot_names, robot_of_digest
from simworld.assets.roots import SHIPPED, VARIABLE
from simworld.errors import ConfigurationError
from simworld.scene.model import Robot, Scene

ROOT = Path(__file__).parents[2]


def refused(folder: Path, yaml: str = YAML, urdf: str = URDF) -> str:
    """The one line with which a robot is refused, without the path at its beginning."""
    path = write(folder, yaml, urdf)
    with pytest.raises(ConfigurationError) as error:
        read_robot(path)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


def test_a_model_is_in_the_order_of_its_tree(tmp_path: Path) -> None:
    model = read_robot(write(tmp_path))
    assert model.links == ("rail", "cart", "plate", "boom", "wrist", "palm", "flange", "right", "left")
    assert model.joints == ("slide", "lift", "roll", "right_slide", "left_slide")
    assert model.joint_links == (1, 3, 4, 7, 8)
    assert model.rest == pytest.approx((0.1, 0.2, 0.3, -0.04, 0.01))
    assert (model.upper[0], model.max_force[0], model.max_velocity[0]) == (0.3, 300.0, 1.0)
    assert model.lower[2] == pytest.approx(-6.2832, abs=1e-4)


def test_a_gripper_is_open_by_what_its_joints_say_on_average(tmp_path: Path) -> None:
    gripper = read_robot(write(tmp_path)).gripper
    assert (gripper.least, gripper.most, gripper.speed) == (0.02, 0.11, pytest.approx(0.6))
    for opening in (0.02, 0.05, 0.11):
        assert gripper.opening(gripper.targets(opening)) == pytest.approx(opening)
    assert gripper.targets(0.5) == pytest.approx((-0.08, 0.03))
    assert gripper.opening((-0.04, 0.02)) == pytest.approx(0.02 + 3 * 0.015)


@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_a_robot_that_ships_opens_and_closes_as_its_table_says(name: str) -> None:
    gripper = find_robot(name).gripper
    for position, opening in zip(gripper.positions, gripper.openings, strict=True):
        targets = gripper.targets(opening)
        assert targets == pytest.approx(
            [r * position + o for r, o in zip(gripper.ratios, gripper.offsets, strict=True)]
        )
        assert gripper.opening(targets) == pytest.approx(opening)


@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_a_robot_that_ships_can_turn_its_tool_to_any_axis(name: str) -> None:
    model = find_robot(name)
    last = model.arm_joints - 1
    # As far as experts turn it either way: fingers close along any direction then.
    assert model.lower[last] <= model.rest[last] - 2.1 and model.rest[last] + 2.1 <= model.upper[last]


def test_a_users_robot_is_found_by_name_and_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    path = write(tmp_path)
    assert {"panda", "xarm6", "crane"} <= set(robot_names())
    scene = Scene(robot=Robot(name="crane"), bodies=())
    assert scene.robot.digest == find_robot("crane").digest
    assert Scene.from_json(scene.to_json()).robot.model is scene.robot.model
    before = scene.to_json().replace(scene.robot.digest, "0" * 32)
    with pytest.raises(ConfigurationError, match=r"needs robot 'crane' of digest 0{32}; 'crane' is here with other"):
        Scene.from_json(before)
    with pytest.raises(ConfigurationError, match=r"no robot 'crame'; did you mean 'crane'\?"):
        find_robot("crame")
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(ConfigurationError, match=r"needs robot 'elsewhere' of digest 1+; there are \["):
        robot_of_digest("elsewhere", "1" * 32)


def test_a_digest_is_that_of_all_content(tmp_path: Path) -> None:
    changes = [
        (YAML, URDF),
        (YAML.replace("0.3, 0.3, 0.4", "0.3, 0.3, 0.5"), URDF),
        (YAML, URDF.replace('mass value="0.1"', 'mass value="0.2"')),
        ("# a remark\n" + YAML, URDF),
    ]
    digests = [read_robot(write(tmp_path / str(k), *change)).digest for k, change in enumerate(changes)]
    assert len(set(digests)) == 3 and digests[3] == digests[0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("driver:", "drivr:", "gripper.drivr: there is no such key; did you mean 'driver'?"),
        ("base:", "bse:", "bse: there is no such key; did you mean 'base'?"),
        ("tool: {link: flange, position: [0, 0, 0.03]}", "", "tool: Field required"),
        ("base: [-0.5", "base: [50", "base: must be within 1.62 m of the workspace, as far as the arm is long, got"),
        ("low: [-0.3", "low: [0.4", "workspace: must have low < high along x, y and z, got (0.4, -0.3, 0.0) and"),
        ("arm: [slide", "arm: [slid", "arm: there is no moving joint 'slid' in the URDF; did you mean 'slide'?"),
        ("arm: [slide, lift", "arm: [slide", "joint 'lift' is of neither arm nor gripper"),
        ("arm: [slide, lift", "arm: [lift, slide", "arm: must be the joints from the base to 'flange'"),
        ("driver: left_slide", "driver: right_slide", "must be different joints without <mimic>, got 'right_slide'"),
        (
            "fingers: [left,",
            "fingers: [let,",
            "fingers: there is no link 'let' in the URDF; did you mean 'left'?",
        ),
        ("fingers: [left,", "fingers: [palm,", "gripper.fingers: no joint of the gripper moves 'palm'"),
        ("[0, 1, 0]", "[0, 2, 0]", "gripper.squeeze_axis: must have length 1"),
        ("[0.03, 0.11]", "[0.03, 0.02]", "gripper.opening: openings must rise or fall throughout"),
        ("[0.03, 0.11]", "[0.3, 0.11]", "'left_slide' goes from 0.0 to 0.03"),
        ("lift: 0.2, ", "", "rest: must name each of ['slide', 'lift', 'roll', 'left_slide']"),
        ("lift: 0.2", "lift: 2", "rest.lift: must be in -1.5 to 1.5, got 2.0"),
        ("force: 300", "force: -3", "limits.slide.force: Input should be greater than 0"),
        ("upper: 0.3", "upper: -0.5", "limits.slide: must have lower < upper"),
        ("upper: 0.3", "uper: 0.3", "limits.slide.uper: there is no such key; did you mean 'upper'?"),
        ("link: palm", "link: pam", "mounts.wrist.link: there is no link 'pam' in the URDF; did you mean 'palm'?"),
        ("base: [-0.5", "base: [.nan", "base.0: Input should be a finite number"),
        ("urdf: crane", "urdf: train", "cannot read the URDF"),
    ],
)
def test_a_wrong_yaml_is_refused(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in YAML
    assert line in refused(tmp_path, YAML.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("<robot", "<train", "is no URDF: mismatched tag"),
        ('type="continuous"', 'type="floating"', "joint 'roll': a type must be one of"),
        ('child link="cart"', 'child link="palm"', "both carry link 'palm': a closed loop"),
        ('child link="cart"', 'child link="rail"', "links ['rail'] hang on each other in a closed loop"),
        (
            'parent link="rail"',
            'parent link="rial"',
            "'slide' joins 'rial', which is no link; did you mean 'rail'?",
        ),
        (
            'mimic joint="left_slide"',
            'mimic joint="left"',
            "'right_slide' mimics 'left', which there is not",
        ),
        ('multiplier="-2"', 'multiplier="0"', "the multiplier of a mimic must not be 0"),
        ('axis xyz="0.6 0.8 0"', 'axis xyz="0 0 0"', "joint 'slide': an axis must not be 0 0 0"),
        ('axis xyz="0.6 0.8 0"', 'axis xyz="1 nan 0"', "joint 'slide': xyz must be finite numbers, got '1 nan 0'"),
        ('axis xyz="0.6 0.8 0"', 'axis xyz="1 2"', "joint 'slide': xyz must be three numbers, got '1 2'"),
        ('axis xyz="0.6 0.8 0"', 'axis xyz="3 4 0"', "joint 'slide': an axis must have length 1, got (3.0, 4.0, 0.0)"),
        ('effort="100"', 'effort="0"', "limits.roll.force: must be given, as the URDF gives none above 0"),
        ('lower="-1.5" upper="1.5"', 'lower="1" upper="1"', "joint 'lift': limits must have lower < upper"),
        ('link name="boom"', 'link name="cart"', "there are two links called 'cart'"),
        (
            '<box size="0.02 0.01 0.04"/>',
            '<mesh filename="a.dae"/>',
            "mesh 'a.dae' must be an OBJ or STL file beside",
        ),
    ],
)
def test_a_wrong_urdf_is_refused(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in URDF
    assert line in refused(tmp_path, urdf=URDF.replace(old, new, 1))


def blocks(kind: str) -> list[str]:
    """The blocks of code in docs/robots.md."""
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "docs/robots.md").read_text(), re.DOTALL)


def test_the_yaml_in_the_documentation_is_one() -> None:
    (text,) = blocks("yaml")
    written = RobotFile.model_validate(yaml.safe_load(text))
    shipped = RobotFile.model_validate(yaml.safe_load((SHIPPED / "robots/panda.yaml").read_text()))
    for name in ("arm", "gripper", "tool", "base", "workspace", "limits", "gains"):
        assert getattr(written, name) == getattr(shipped, name)


def test_the_python_in_the_documentation_runs() -> None:
    names: dict[str, object] = {}
    exec(blocks("python")[-1], names)
    assert "kinematics" in names
