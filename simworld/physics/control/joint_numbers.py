"""The numbers of an action that are each of a joint."""

from collections.abc import Sequence

from simworld.assets.robot import RobotModel
from simworld.physics.control.action import ActionNumber
from simworld.physics.control.fingers import gripper_rate


def joint_numbers(
    model: RobotModel, low: Sequence[float], high: Sequence[float], unit: str, meaning: str
) -> tuple[ActionNumber, ...]:
    """Those of the arm's joints, of which -1 and 1 stand for `low` and `high`, and that of the gripper."""
    joints = zip(model.joints[: model.arm_joints], low, high, strict=False)
    return (*(ActionNumber(name, least, most, unit, meaning) for name, least, most in joints), gripper_rate(model))
