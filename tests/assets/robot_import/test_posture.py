"""Where an arm stands and rests that nobody said it of."""

import numpy as np
import pytest

from simworld.assets.robot_import.frames import ArmFrames, frames
from simworld.assets.robot_import.link_masses import pose_matrix
from simworld.assets.robot_import.posture import posture
from simworld.assets.urdf import Joint
from simworld.geometry import Vec3, quat_from_euler

_WAYS = {"z": (0.0, 0.0, 1.0), "y": (0.0, 1.0, 0.0)}


def wrist_arm(limit: float = 2.8, scale: float = 1.0) -> ArmFrames:
    """Shoulder, elbow, and three axes that meet in a wrist: straight up where all joints are at 0."""
    lengths = (0.05, 0.3, 0.4, 0.35, 0.1, 0.1)
    joints = [
        Joint(
            name=f"j{k}",
            kind="revolute",
            parent=f"l{k}",
            child=f"l{k + 1}",
            position=(0.0, 0.0, scale * length),
            axis=_WAYS[axis],
            lower=-limit,
            upper=limit,
        )
        for k, (length, axis) in enumerate(zip(lengths, "zyyzyz", strict=True))
    ]
    tool = np.eye(4)
    tool[2, 3] = 0.09 * scale
    return ArmFrames(joints, tool)


def test_the_tool_is_where_frames_have_it_and_the_jacobian_is_how_it_moves() -> None:
    """Of turned joints, one of which slides, against frames one by one and finite differences."""
    ways = ((0.0, 0.0, 1.0), (0.6, 0.8, 0.0), (0.0, 1.0, 0.0))
    joints = [
        Joint(
            name=f"j{k}",
            kind="prismatic" if k == 1 else "revolute",
            parent=f"l{k}",
            child=f"l{k + 1}",
            position=(0.1 * k, 0.05, 0.3),
            orientation=quat_from_euler(0.3, -0.4 * k, 0.9),
            axis=axis,
            lower=-2.0,
            upper=2.0,
        )
        for k, axis in enumerate(ways)
    ]
    tool = pose_matrix((0.02, -0.03, 0.09), quat_from_euler(0.1, 0.2, 0.3))
    arm, q, step = ArmFrames(joints, tool), np.array([0.7, 0.25, -1.1]), 1e-6
    pose, jacobian = arm.tool_and_jacobian(q)
    there = frames(joints, dict(zip(("j0", "j1", "j2"), q.tolist(), strict=True)))["l3"]
    assert pose == pytest.approx(there @ tool, abs=1e-12)
    for k in range(3):
        ahead, behind = (arm.tool_and_jacobian(q + sign * step * np.eye(3)[k])[0] for sign in (1, -1))
        turn = (ahead - behind)[:3, :3] / (2 * step) @ pose[:3, :3].T
        moved = (ahead - behind)[:3, 3] / (2 * step)
        assert jacobian[:, k] == pytest.approx([*moved, turn[2, 1], turn[0, 2], turn[1, 0]], abs=1e-8)


@pytest.mark.parametrize("limit", [2.8, pytest.param(3.1415, marks=pytest.mark.slow)])
def test_an_ordinary_arm_gets_everywhere_with_its_fingers_down(limit: float) -> None:
    arm = wrist_arm(limit)
    found = posture(arm, None, None)
    assert found is not None and found.reached == 1
    pose, _ = arm.tool_and_jacobian(np.array(found.rest))
    assert pose[:3, 3] + found.base == pytest.approx((-0.05, 0, 0.25), abs=1e-3)
    assert pose[2, 2] == pytest.approx(-1, abs=1e-3) and abs(pose[1, 1]) == pytest.approx(1, abs=1e-3)


def test_a_posture_is_within_limits_that_have_more_decimals() -> None:
    arm = wrist_arm()
    narrow = arm.joints[0].model_copy(update={"name": "j", "lower": 0.78536, "upper": 0.785361})
    found = posture(ArmFrames([narrow, *arm.joints], np.eye(4)), (-0.5, 0.0, 0.0), None)
    assert found is not None and narrow.lower <= found.rest[0] <= narrow.upper


def test_an_arm_that_is_too_short_has_none() -> None:
    assert posture(wrist_arm(scale=0.01), None, None) is None


def test_what_is_said_is_kept() -> None:
    base: Vec3 = (-0.5, 0.1, 0.0)
    found = posture(wrist_arm(), base, (0.0, 0.2, 2.1, 0.0, 0.8, 0.0))
    assert found is not None and found[:2] == (base, (0.0, 0.2, 2.1, 0.0, 0.8, 0.0)) and found.reached > 0.9
