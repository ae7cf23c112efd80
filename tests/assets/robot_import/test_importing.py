"""A user's URDF becomes a robot: what is kept, what is guessed, what is made lean, and what is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from crane import URDF, write

from simworld.agents.experts import expert
from simworld.assets.robot import RobotModel
from simworld.assets.robot_file import read_robot
from simworld.assets.robot_import.importing import Imported, RobotImportOptions, import_robot
from simworld.assets.robot_import.links import Reader
from simworld.assets.robot_import.meshes import MeshFiles
from simworld.assets.robot_search import find_robot
from simworld.assets.roots import VARIABLE, data_path
from simworld.assets.urdf import parse_urdf
from simworld.errors import ConfigurationError
from simworld.geometry import Array, compose, invert
from simworld.physics.holding import can_hold
from simworld.physics.kinematics import Kinematics
from simworld.physics.world import World
from simworld.rendering.surfaces import surfaces
from simworld.scene.model import Robot, Scene

trimesh = pytest.importorskip("trimesh")
REST = RobotImportOptions(rest=(0.1, 0.2, 0.3))


@pytest.fixture(scope="module")
def panda(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The Panda of pybullet_data, imported."""
    folder = tmp_path_factory.mktemp("own") / "robots" / "my_panda"
    return import_robot(data_path() / "franka_panda" / "panda.urdf", folder)


@pytest.fixture
def crane(tmp_path: Path) -> Callable[..., Imported]:
    """Imports the crane with some of its text replaced."""

    def make(*changes: tuple[str, str], options: RobotImportOptions = REST) -> Imported:
        text = URDF
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "crane.urdf").write_text(text)
        return import_robot(tmp_path / "crane.urdf", tmp_path / "robots" / "crane", options)

    return make


def postures(model: RobotModel) -> Array:
    n = model.arm_joints
    return np.random.default_rng(0).uniform(model.lower[:n], model.upper[:n], (20, n))


def test_an_imported_panda_moves_as_the_one_that_ships(panda: Imported) -> None:
    model, shipped = panda.model, find_robot("panda")
    assert [joint.removeprefix("panda_") for joint in model.joints] == list(shipped.joints)
    assert len(model.links) == len(shipped.links) == 10
    mine, theirs = Kinematics(model), Kinematics(shipped)
    for q in postures(model):
        assert mine.tool_pose(q)[:3] == pytest.approx(theirs.tool_pose(q)[:3], abs=1e-3)
        assert abs(mine.tool_pose(q)[3:] @ theirs.tool_pose(q)[3:]) == pytest.approx(1, abs=1e-6)
    assert model.gripper.most == pytest.approx(0.08, abs=1e-3)
    assert model.gripper.fingers == ("panda_leftfinger", "panda_rightfinger")
    assert model.base == (-0.6, 0.0, 0.0)


def test_it_rests_with_its_fingers_down_over_the_table_and_holds(
    panda: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(panda.model.urdf.parents[2]))
    with World() as world:
        world.load(Scene(robot=Robot(name="my_panda", position=panda.model.base), bodies=()))
        pose = world.tool_pose()
        assert pose[:3] == pytest.approx((-0.05, 0, 0.25), abs=1e-3)
        assert abs(pose[3]) == pytest.approx(1, abs=1e-4)
        assert len(surfaces(world.scene)) == 10
    assert can_hold(find_robot("my_panda"))


def test_environments_and_experts_have_it_by_name(panda: Imported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(panda.model.urdf.parents[2]))
    env = gym.make("simworld/PlaceInBox-v0", robot="my_panda", randomization="default")
    placed = []
    for seed in range(4):
        observation, info = env.reset(seed=seed)
        policy, over = expert(env.unwrapped.config), False
        while not over:
            observation, _, terminated, truncated, info = env.step(policy(observation))
            over = terminated or truncated
        placed.append(info["is_success"])
    env.close()
    assert sum(placed) >= 3


def test_all_that_was_done_is_said(panda: Imported) -> None:
    done = {(row.what, row.part): row.how for row in panda.done}
    assert done["merged", "panda_hand"] == "into panda_link7"
    assert done["collides", "panda_leftfinger"] == "as a box and a box"
    assert done["dropped", "panda_link3"] == "its colliders: it gets near nothing"
    assert "panda_finger_joint2" in done["guessed", "gripper"]


def test_links_that_are_fixed_become_one_and_weigh_as_much(crane: Callable[..., Imported], tmp_path: Path) -> None:
    model, done = crane()
    assert model.links == ("rail", "cart", "boom", "wrist", "right", "left")
    assert {(row.part, row.how) for row in done if row.what == "merged"} == {
        ("plate", "into cart"),
        ("palm", "into wrist"),
        ("flange", "into wrist"),
    }
    inertia = Reader(MeshFiles(model.urdf), "it").links(parse_urdf(model.urdf))["cart"].inertia
    assert inertia.mass == pytest.approx(0.8)
    assert inertia.center == pytest.approx((0.05, 0, 0.05))
    # Two of 0.4 kg, each 0.05 m off along x and z: m d^2 more about y.
    assert inertia.tensor[1, 1] == pytest.approx(2 * 1e-3 + 0.8 * (0.05**2 + 0.05**2))
    assert inertia.tensor[0, 2] == pytest.approx(-0.8 * 0.05 * 0.05)
    # The tools of both are fixed to each other, wherever the arm is.
    before, after = Kinematics(read_robot(write(tmp_path / "original"))), Kinematics(model)
    between = [compose(invert(before.tool_pose(q)), after.tool_pose(q)) for q in postures(model)]
    assert np.ptp(between, axis=0)[:3] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("suffix", ["stl", "obj", "ply", "dae", "glb"])
def test_meshes_of_usual_formats_become_obj_files(crane: Callable[..., Imported], tmp_path: Path, suffix: str) -> None:
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    (tmp_path / "things" / "meshes").mkdir(parents=True)
    box.export(tmp_path / "things" / "meshes" / f"boom.{suffix}")
    seen = (
        '<visual><origin xyz="0.5 0 0"/><geometry>'
        f'<mesh filename="package://things/meshes/boom.{suffix}" scale="1 -1 2"/></geometry>'
        '<material name="red"><color rgba="0.9 0.1 0.1 1"/></material></visual>'
    )
    model, _ = crane(('<link name="boom">', f'<link name="boom">{seen}'))
    (visual,) = model.visuals
    assert (visual.link, visual.mesh.suffix) == ("boom", ".obj")
    written = trimesh.load(visual.mesh, force="mesh", process=False)
    assert written.bounds == pytest.approx(np.array([[0.45, -0.1, -0.3], [0.55, 0.1, 0.3]]), abs=1e-6)
    assert trimesh.Trimesh(written.vertices, written.faces).volume > 0
    assert "Kd 0.9" in visual.mesh.with_suffix(".mtl").read_text() or suffix in ("dae", "glb", "obj", "ply")


def test_options_replace_guesses(crane: Callable[..., Imported]) -> None:
    options = RobotImportOptions(rest=(0.0, 0.1, 0.2), base=(-0.4, 0.1, 0.0), fingers=("left", "right"), tip=0.01)
    model, _ = crane(options=options)
    assert (model.base, model.rest[:3]) == ((-0.4, 0.1, 0.0), (0.0, 0.1, 0.2))
    assert set(model.gripper.fingers) == {"left", "right"}


def test_joints_that_are_held_are_no_more(crane: Callable[..., Imported]) -> None:
    model, done = crane(options=RobotImportOptions(fix=("slide",), rest=(0.2, 0.3)))
    assert model.joints[:2] == ("lift", "roll") and model.arm_joints == 2
    assert ("merged", "cart") in {(row.what, row.part) for row in done}


def test_joints_that_a_file_gives_no_limits_take_those_of_an_option_or_are_held(crane: Callable[..., Imported]) -> None:
    none, never = ('lower="-0.4" upper="0.4" ', ""), ('<limit effort="100"', '<limit lower="0" upper="0" effort="100"')
    given = RobotImportOptions(limits={"slide": (-0.4, 0.4)}, rest=(0.1, 0.2, 0.3))
    model, _ = crane(none, never, options=given)  # what turns for ever has no limits, whatever a file says
    slide = model.joints.index("slide")
    assert (model.lower[slide], model.upper[slide]) == (-0.4, 0.4)


def test_fingers_without_a_mimic_are_made_one_gripper(crane: Callable[..., Imported]) -> None:
    mimic = '<mimic joint="left_slide" multiplier="-2" offset="-0.02"/>'
    model, _ = crane((mimic, ""), ('lower="-0.08"', 'lower="-0.03"'))
    assert model.gripper.joints == ("right_slide", "left_slide") and model.gripper.ratios == (1.0, -1.0)
    shutil.rmtree(model.urdf.parent)
    options = RobotImportOptions(rest=(0.1, 0.2, 0.3), mimic={"right_slide": ("left_slide", -0.5)})
    model, _ = crane((mimic, ""), options=options)
    assert model.gripper.driver == "left_slide" and model.gripper.ratios == (-0.5, 1.0)


def test_what_weighs_nothing_or_cannot_be_is_weighed(crane: Callable[..., Imported]) -> None:
    shape = '<collision><geometry><box size="0.1 0.1 0.1"/></geometry></collision>'
    wrong = '<inertial><mass value="2"/><inertia ixx="1" iyy="1" izz="3" ixy="0" ixz="0" iyz="0"/></inertial>'
    model, done = crane(
        ('<link name="boom">', f'<link name="boom">{shape}</link><link name="spare">'),
        ('<link name="cart">', f'<link name="cart">{wrong}{shape}</link><link name="other">'),
        ("</robot>", '<joint name="a" type="fixed"><parent link="rail"/><child link="spare"/></joint></robot>'),
        ("</robot>", '<joint name="b" type="fixed"><parent link="rail"/><child link="other"/></joint></robot>'),
    )
    said = {row.part: row.how for row in done if row.what == "weighed"}
    assert said["boom"] == "no mass: 1 kg, as water"
    links = Reader(MeshFiles(model.urdf), "it").links(parse_urdf(model.urdf))
    assert links["boom"].inertia.mass == pytest.approx(1.0)
    assert links["boom"].inertia.tensor == pytest.approx(np.eye(3) / 600)


@pytest.mark.parametrize(
    ("change", "options", "line"),
    [
        (("<box", '<mesh filename="package://a/b.stl"/><box'), {}, "there is no mesh 'package://a/b.stl' in"),
        (("<box", '<mesh filename="nothing.stl"/><box'), {}, "there is no mesh 'nothing.stl' in"),
        (("<box", '<mesh filename="crane.urdf"/><box'), {}, "its suffix must be one of"),
        (
            ("<box", "<heightmap/><box"),
            {},
            "must be mesh, box, cylinder, capsule or sphere, got 'heightmap'",
        ),
        (('size="0.02 0.01 0.04"', 'size="0.02 0 0.04"'), {}, "sizes must be above 0, got (0.02, 0.0, 0.04)"),
        (('size="0.02 0.01 0.04"', 'size="20 10 40"'), {}, "is it in millimetres?"),
        (('mass value="0.1"', 'mass value="-1"'), {}, "a mass must be at least 0, got -1.0"),
        (('ixx="1e-4"', 'ixx="inf"'), {}, "ixx must be finite numbers, got 'inf'"),
        (('type="continuous"', 'type="planar"'), {}, "joint 'roll': a type must be one of"),
        (('child link="cart"', 'child link="palm"'), {}, "a closed loop"),
        (('mimic joint="left_slide"', 'mimic joint="gone"'), {}, "mimics 'gone', which there is not"),
        (
            (' type="prismatic">\n    <parent link="palm"/>', ' type="fixed">\n    <parent link="palm"/>'),
            {},
            "must mimic one",
        ),
        (("", ""), {"fix": ("left_slide", "right_slide")}, "the arm ends at 'wrist' without fingers"),
        (("", ""), {"fix": ("left_slide",)}, "joint 'right_slide' mimics 'left_slide', which is held: --fix both"),
        (
            ('lower="-0.4" upper="0.4"', ""),
            {},
            "joint 'slide' has no limits to move between: say --limit slide=LOWER,UPPER",
        ),
        (("", ""), {"fix": ("lift_",)}, "--fix lift_: there is no such joint; did you mean 'lift'?"),
        (("", ""), {"arm": ("lift", "rol")}, "--arm rol: there is no moving joint of that name; did you mean 'roll'?"),
        (("", ""), {"arm": ("slide", "lift")}, "joints ['roll', 'left_slide'] of the gripper move by"),
        (("", ""), {"driver": "right_slide"}, "--driver right_slide: there is no such joint of the gripper"),
        (("", ""), {"fingers": ("left", "palm")}, "--fingers palm: no joint of the gripper moves such a link"),
        (
            ("", ""),
            {"mimic": {"left_slid": ("right_slide", 1.0)}},
            "no moving joint 'left_slid'; did you mean",
        ),
        (("", ""), {"rest": (0.1,)}, "--rest: the arm has 3 joints, got 1"),
        (("", ""), {"rest": ()}, "no posture was found that brings the fingers down over the table"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_written(
    crane: Callable[..., Imported], tmp_path: Path, change: tuple[str, str], options: dict[str, Any], line: str
) -> None:
    changes = [change] if change[0] else []
    with pytest.raises(ConfigurationError) as error:
        crane(*changes, options=RobotImportOptions(**({"rest": (0.1, 0.2, 0.3)} | options)))
    assert line in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "robots").exists() or not list((tmp_path / "robots").iterdir())


def test_three_fingers_are_not_taken_for_two(crane: Callable[..., Imported]) -> None:
    third = (
        '<link name="third"><collision><geometry><box size="0.02 0.01 0.04"/></geometry></collision></link>'
        '<joint name="third_slide" type="prismatic"><parent link="palm"/><child link="third"/>'
        '<origin xyz="0.03 0 0.05"/><axis xyz="1 0 0"/><limit lower="0" upper="0.03" effort="20" velocity="0.2"/>'
        '<mimic joint="left_slide"/></joint></robot>'
    )
    with pytest.raises(ConfigurationError, match=r"more than two fingers, \['right', 'left', 'third'\]: name by"):
        crane(("</robot>", third))
    model, done = crane(options=RobotImportOptions(rest=(0.1, 0.2, 0.3), fingers=("left", "right")))
    assert set(model.gripper.fingers) == {"left", "right"}


def test_what_the_made_robot_lacks_is_said_of_the_urdf(crane: Callable[..., Imported]) -> None:
    with pytest.raises(ConfigurationError, match=r"^crane\.urdf: rest\.lift: must be in -1\.5 to 1\.5, got 9\.0$"):
        crane(options=RobotImportOptions(rest=(0.1, 9.0, 0.3)))


def test_a_name_is_checked_and_nothing_is_overwritten(crane: Callable[..., Imported], tmp_path: Path) -> None:
    crane()
    with pytest.raises(ConfigurationError, match="exists already: choose another --name"):
        crane()
    with pytest.raises(ConfigurationError, match="a robot's name must begin with a letter"):
        import_robot(tmp_path / "crane.urdf", tmp_path / "robots" / "Crane!", REST)


def test_what_is_left_of_an_import_that_was_killed_is_cleared(crane: Callable[..., Imported], tmp_path: Path) -> None:
    left = tmp_path / "robots" / ".tmp-crane" / "crane"
    left.mkdir(parents=True)
    (left / "crane.yaml").write_text("half")
    crane()
    assert [path.name for path in (tmp_path / "robots").iterdir()] == ["crane"]


def test_odd_names_do_not_leave_the_folder(crane: Callable[..., Imported], tmp_path: Path) -> None:
    seen = '<visual><geometry><box size="0.1 0.1 0.1"/></geometry></visual>'
    odd = "../../: {a}, no"
    model, _ = crane(('<link name="boom">', f'<link name="boom">{seen}'), ('"boom"', f'"{odd}"'), ('"lift"', '"yes"'))
    assert odd in model.links and model.joints[1] == "yes"
    assert model.visuals[0].mesh.parent == model.urdf.parent / "meshes"
