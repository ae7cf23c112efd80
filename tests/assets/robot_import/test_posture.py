"""Where an arm stands and rests that nobody said it of."""

import numpy as np
import pytest

from simworld.assets.robot_import.frames import ArmFrames
from simworld.assets.robot_import.posture import posture
from simworld.assets.urdf import Joint
from simworld.geometry import Vec3

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
