"""Where the tool of a robot is and how its joints move it: from the model alone, without a World."""

import math
from collections.abc import Sequence

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.assets.urdf import Joint
from simworld.geometry import Array, Quaternion, Vec3, quat_product, rotated

_Place = tuple[Vec3, Quaternion]


class Kinematics:
    """Forward kinematics and geometric Jacobian of a robot's arm, in the frame of its base.

    `positions` are those of the arm's joints (arm_joints,), rad or m; more of them, as in `SceneState.joint_positions`,
    are not looked at. Pure functions of these and the model.
    """

    def __init__(self, model: RobotModel) -> None:
        self._chain = model.chain(model.tool.link)
        self._tool: _Place = (model.tool.position, model.tool.orientation)

    def tool_pose(self, positions: Sequence[float] | Array) -> Array:
        """Pose (7,) of the tool centre point."""
        return self.tool_kinematics(positions)[0]

    def jacobian(self, positions: Sequence[float] | Array) -> Array:
        """Of the tool centre point, (6, arm_joints): linear, then angular."""
        return self.tool_kinematics(positions)[1]

    def tool_kinematics(self, positions: Sequence[float] | Array) -> tuple[Array, Array]:
        """Pose (7,) of the tool centre point and its Jacobian (6, arm_joints): linear, then angular.

        A joint turns the tool about its axis, or slides it along (Siciliano et al. 2009, sections 2.8 and 3.1).
        """
        # Plain floats: for a handful of joints NumPy's call overhead would be most of it.
        given = iter(np.asarray(positions, dtype=float).tolist())
        place: _Place = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
        axes: list[tuple[Vec3, Vec3 | None]] = []
        for joint in self._chain:
            place = _composed(place, (joint.position, joint.orientation))
            if joint.kind != "fixed":
                axes.append((rotated(place[1], joint.axis), None if joint.kind == "prismatic" else place[0]))
                place = _composed(place, _motion(joint, next(given)))
        (x, y, z), orientation = _composed(place, self._tool)
        columns = []
        for (ax, ay, az), origin in axes:
            if origin is None:
                columns.append((ax, ay, az, 0.0, 0.0, 0.0))
                continue
            rx, ry, rz = x - origin[0], y - origin[1], z - origin[2]
            columns.append((ay * rz - az * ry, az * rx - ax * rz, ax * ry - ay * rx, ax, ay, az))
        return np.array([x, y, z, *orientation]), np.array(columns).T


def _motion(joint: Joint, position: float) -> _Place:
    """How a joint at a position moves what it carries, in its own frame."""
    x, y, z = joint.axis
    if joint.kind == "prismatic":
        return (x * position, y * position, z * position), (0.0, 0.0, 0.0, 1.0)
    s = math.sin(position / 2)
    return (0.0, 0.0, 0.0), (x * s, y * s, z * s, math.cos(position / 2))


def _composed(a: _Place, b: _Place) -> _Place:
    x, y, z = rotated(a[1], b[0])
    return (a[0][0] + x, a[0][1] + y, a[0][2] + z), quat_product(a[1], b[1])
