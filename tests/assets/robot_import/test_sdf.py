"""SDFs are read as Bullet reads them and as their specification says; arms and grippers of two files become one."""

from pathlib import Path
from xml.etree.ElementTree import tostring

import numpy as np
import pybullet as bullet
import pytest

from simworld.assets.robot import RobotModel
from simworld.assets.robot_import.frames import frames
from simworld.assets.robot_import.importing import RobotImportOptions, import_robot
from simworld.assets.robot_import.joining import Mounted, with_gripper
from simworld.assets.robot_import.link_masses import pose_matrix
from simworld.assets.robot_import.sdf import read_description
from simworld.assets.robot_search import find_robot
from simworld.assets.roots import VARIABLE, data_path
from simworld.assets.urdf import urdf_tree
from simworld.errors import ConfigurationError
from simworld.geometry import Array, compose, invert
from simworld.physics.holding import can_hold

pytest.importorskip("trimesh")
ARM = data_path() / "kuka_iiwa" / "model.sdf"
WHOLE = data_path() / "kuka_iiwa" / "kuka_with_gripper2.sdf"
WSG = data_path() / "gripper" / "wsg50_one_motor_gripper_new.sdf"
SDF = """\
<sdf version="1.7"><model name="made">
  <pose>1 2 3 0 0 0</pose>
  <frame name="shelf"><pose>0 0 0.5 0 0 1.5707963267948966</pose></frame>
  <link name="base"><inertial><mass>2</mass><inertia><ixx>1</ixx><iyy>1</iyy><izz>1</izz></inertia></inertial></link>
  <link name="upper"><pose relative_to="shelf">0.2 0 0 0 0 0</pose>
    <visual name="v"><pose>0 0 0.1 0 0 0</pose><geometry><box><size>0.1 0.1 0.1</size></box></geometry>
      <material><diffuse>0.9 0.1 0.1 1</diffuse></material></visual></link>
  <joint name="turn" type="revolute"><parent>base</parent><child>upper</child><pose>0 0 -0.2 0 0 0</pose>
    <axis><xyz expressed_in="__model__">1 0 0</xyz><limit><lower>-1e16</lower><upper>1e16</upper><effort>-1</effort>
    </limit></axis></joint>
  <joint name="stand" type="fixed"><parent>world</parent><child>base</child></joint>
</model></sdf>
"""


def in_bullet(path: Path, generator: np.random.Generator) -> tuple[dict[str, float], dict[str, Array]]:
    """Joints at some positions in Bullet, and the poses (7,) of links there."""
    client = bullet.connect(bullet.DIRECT)
    try:
        (body,) = bullet.loadSDF(str(path), physicsClientId=client)
        positions: dict[str, float] = {}
        poses: dict[str, Array] = {}
        known = [bullet.getJointInfo(body, k, client) for k in range(bullet.getNumJoints(body, client))]
        for info in known:
            if info[2] != bullet.JOINT_FIXED:
                positions[info[1].decode()] = float(generator.uniform(-0.02, 0.02))
                bullet.resetJointState(body, info[0], positions[info[1].decode()], physicsClientId=client)
        for info in known:
            state = bullet.getLinkState(body, info[0], computeForwardKinematics=True, physicsClientId=client)
            poses[info[12].decode()] = np.array([*state[4], *state[5]])
        return positions, poses
    finally:
        bullet.disconnect(client)


@pytest.mark.parametrize("path", [ARM, WHOLE, WSG], ids=lambda path: path.stem)
def test_links_are_where_bullet_has_them(path: Path) -> None:
    positions, poses = in_bullet(path, np.random.default_rng(3))
    mine = frames(urdf_tree(read_description(path), path.name).joints, positions)
    names = sorted(poses)
    assert len(names) >= 7 and set(names) < set(mine)
    first = names[0]
    for name in names[1:]:
        between = compose(invert(poses[first]), poses[name])
        here = np.linalg.inv(mine[first]) @ mine[name]
        assert here == pytest.approx(pose_matrix(between[:3], between[3:]), abs=2e-5)


def test_frames_axes_and_limits_are_as_the_specification_has_them(tmp_path: Path) -> None:
    (tmp_path / "made.sdf").write_text(SDF)
    document = read_description(tmp_path / "made.sdf")
    (joint,) = urdf_tree(document, "made.sdf").joints
    assert (joint.kind, joint.force, joint.parent, joint.child) == ("continuous", 0.0, "base", "upper")
    # The shelf is turned by 90 degrees: 0.2 m along its x axis is along the model's y; x is its -y.
    assert joint.position == pytest.approx((0.0, 0.2, 0.3))
    assert joint.axis == pytest.approx((0.0, -1.0, 0.0))
    seen = document.findall("link")[1].find("visual")
    assert seen is not None
    origin = seen.find("origin")
    assert origin is not None and [float(x) for x in origin.get("xyz", "").split()] == pytest.approx([0, 0, 0.3])
    assert b'rgba="0.9 0.1 0.1 1"' in tostring(seen) and b'size="0.1 0.1 0.1"' in tostring(seen)


@pytest.mark.parametrize(("version", "axis"), [("1.4", (0, 1, 0)), ("1.5", (0, 0, 1)), ("1.10", (0, 0, 1))])
def test_axes_are_in_the_frame_that_the_version_says(version: str, axis: tuple[float, ...], tmp_path: Path) -> None:
    rolled = SDF.replace("1.7", version).replace(' expressed_in="__model__"', "").replace("<xyz>1 0 0", "<xyz>0 0 1")
    rolled = rolled.replace('relative_to="shelf">0.2 0 0 0 0 0', ">0.2 0 0 1.5707963267948966 0 0")
    (tmp_path / "made.sdf").write_text(rolled)
    (joint,) = urdf_tree(read_description(tmp_path / "made.sdf"), "made.sdf").joints
    assert joint.axis == pytest.approx(axis, abs=1e-9)


def test_poses_may_be_in_degrees(tmp_path: Path) -> None:
    places = []
    for pose in ('<pose degrees="true">0 0 0.5 0 0 90', "<pose>0 0 0.5 0 0 1.5707963267948966"):
        (tmp_path / "made.sdf").write_text(SDF.replace("<pose>0 0 0.5 0 0 1.5707963267948966", pose))
        (joint,) = urdf_tree(read_description(tmp_path / "made.sdf"), "made.sdf").joints
        places.append([*joint.position, *joint.axis])
    assert places[0] == pytest.approx(places[1])


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"1.7"', '"new"', "version must be numbers, such as 1.6, got 'new'"),
        ('"shelf">0.2', '"shelf" rotation_format="quat_xyzw">0.2', "must be in the format euler_rpy, got 'quat_xyzw'"),
        ("<sdf", "<robot", "is no SDF: mismatched tag"),
        ("</model>", "</model><model name='b'/>", "there must be one <model>, got 2"),
        ("<link", "<include/><link", "a model with an <include> in it cannot be imported"),
        ("0.2 0 0 0 0 0", "0.2 0 0", "<pose> must be 6 finite numbers, got '0.2 0 0'"),
        ('"shelf">0.2', '"shelv">0.2', "there is no frame 'shelv'; did you mean 'shelf'?"),
        ('"shelf"><pose>', '"shelf"><pose relative_to="shelf">', "poses go round in a loop"),
        ("<parent>base", "<parent>bas", "there is no frame 'bas'; did you mean 'base'?"),
        ('"revolute"', '"ball"', "joint 'turn': a type must be one of"),
    ],
)
def test_a_wrong_sdf_is_one_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in SDF
    (tmp_path / "made.sdf").write_text(SDF.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as error:
        urdf_tree(read_description(tmp_path / "made.sdf"), "made.sdf")
    assert line in str(error.value) and "\n" not in str(error.value)


def imported(folder: Path) -> RobotModel:
    """The arm with a gripper whose fingers turn, while their tips stay parallel."""
    driver = "base_right_finger_joint"
    mimic = {"base_left_finger_joint": -1.0, "right_base_tip_joint": -1.0, "left_base_tip_joint": 1.0}
    options = RobotImportOptions(
        fix=("gripper_to_arm",),
        driver=driver,
        mimic={name: (driver, factor) for name, factor in mimic.items()},
        limits={driver: (-0.3, 0.4)},
    )
    return import_robot(WHOLE, folder, options)[0]


def test_fingers_that_turn_open_as_far_as_they_can(tmp_path: Path) -> None:
    gripper = imported(tmp_path / "kuka").gripper
    assert gripper.least == 0.0 and gripper.most == pytest.approx(0.115, abs=1e-3)


@pytest.mark.slow
def test_fingers_that_turn_with_tips_that_stay_parallel_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    imported(tmp_path / "robots" / "kuka")
    assert can_hold(find_robot("kuka"))


def test_a_gripper_is_joined_where_it_is_said_to_be() -> None:
    place = (0.0, 0.0, 0.045, 0.0, 0.0, 0.3)
    arm = read_description(ARM)
    whole = with_gripper(arm, ARM.name, Mounted(WSG, "lbr_iiwa_link_7", place), {})
    here = frames(urdf_tree(whole, "both").joints, {})
    between = np.linalg.inv(here["lbr_iiwa_link_7"]) @ here["world"]
    assert between[:3, 3] == pytest.approx((0, 0, 0.045)) and between[0, 0] == pytest.approx(np.cos(0.3))
    assert len(arm.findall("link")) == 8
    # What is called as a link of the arm is called otherwise.
    both = urdf_tree(with_gripper(read_description(WHOLE), "both", Mounted(WSG, "base_link"), {}), "both")
    assert {"base_link", "gripper_base_link", "motor"} < set(both.links)
    assert {joint.parent for joint in both.joints if joint.child == "gripper_left"} == {"gripper_base_link"}


def test_an_arm_of_several_ends_wants_a_flange_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match=r"the arm has 2 ends, \['left_finger_tip', 'right_finger_tip'\]:"):
        with_gripper(read_description(WHOLE), WHOLE.name, Mounted(WSG), {})
    with pytest.raises(ConfigurationError, match=r"--flange lbr_iiwa_link_8: there is no such link; did you mean 'lbr"):
        with_gripper(read_description(ARM), ARM.name, Mounted(WSG, "lbr_iiwa_link_8"), {})
