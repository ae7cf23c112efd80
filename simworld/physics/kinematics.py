"""Where the tool of a robot is and how its joints move it: from the model alone, without a World."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Array, Vec3, product, quat_to_matrix
from simworld.physics.articulated import (
    AXIS,
    CENTER,
    COLUMN,
    FIXED,
    INERTIA,
    JACOBIAN,
    KIND,
    MASS,
    PARENT,
    PLACE,
    POSE,
    SLIDES,
    TURNS,
    VELOCITY,
    WIDTH,
    WORK,
    read_arm,
)

_KINDS = {"fixed": FIXED, "prismatic": SLIDES, "revolute": TURNS, "continuous": TURNS}


class Weight(NamedTuple):
    """Mass of a link in kg, its principal moments of inertia in kg m^2, and the frame (7,) of these on the link."""

    mass: float
    moments: Vec3
    frame: Sequence[float]


def link_tree(model: RobotModel, weights: Iterable[Weight] = ()) -> Array:
    """The links of a robot as the rows that `read_arm` takes; without weights they have none.

    ConfigurationError for a joint that moves and is not among the model's.
    """
    rows = np.zeros((len(model.tree), WIDTH))
    for row, joint in zip(rows, model.tree, strict=True):
        row[PARENT], row[KIND] = model.link_index(joint.parent), _KINDS[joint.kind]
        if joint.kind != "fixed":
            if joint.name not in model.joints:
                raise ConfigurationError(f"{model.name}: joint {joint.name!r} moves, and is of neither arm nor gripper")
            row[COLUMN] = model.joints.index(joint.name)
        row[PLACE:AXIS], row[AXIS:MASS] = (*joint.position, *joint.orientation), joint.axis
    for row, weight in zip(rows, weights, strict=False):
        axes = quat_to_matrix(weight.frame[3:])
        inertia = product(axes * weight.moments, axes.T)
        row[MASS], row[CENTER:INERTIA], row[INERTIA:] = weight.mass, weight.frame[:3], inertia[np.triu_indices(3)]
    return rows


class ArmReading(NamedTuple):
    """Of an arm at one instant: the tool's `pose` (7,) and `velocity` (6,), its `jacobian` (6, arm joints), and the
    forces (joints,) in N or N m that are `needed` to carry the robot as it moves; all of it in the world."""

    pose: Array
    velocity: Array
    jacobian: Array
    needed: Array


class ArmReader:
    """Reads a robot that stands at `base` (7,), by its `link_tree`; `links` (links, 7) are where the last call was."""

    def __init__(self, model: RobotModel, tree: Array, base: Sequence[float], gravity: Vec3) -> None:
        self._tree, self._gravity = tree, np.array(gravity)
        self._tool = np.array([model.link_index(model.tool.link), *model.tool.position, *model.tool.orientation])
        self._arm, self._joints = model.arm_joints, len(model.joints)
        self._size = JACOBIAN + 6 * self._arm + self._joints
        self.links = np.zeros((len(tree) + 1, 7))
        self.links[0] = base
        self._work = np.zeros((len(tree) + 1, WORK))

    def __call__(self, state: Array) -> ArmReading:
        """The arm where joints have positions and velocities (2, joints)."""
        now = np.empty(self._size)
        read_arm(self._tree, self._tool, self._gravity, state, self.links, self._work, now)
        now.setflags(write=False)  # it is given out
        end = self._size - self._joints
        return ArmReading(
            now[POSE:VELOCITY], now[VELOCITY:JACOBIAN], now[JACOBIAN:end].reshape(6, self._arm), now[end:]
        )


class Kinematics:
    """Forward kinematics and geometric Jacobian of a robot's arm, in the frame of its base.

    `positions` are those of the arm's joints (arm_joints,), rad or m; more of them, as in `SceneState.joint_positions`,
    are not looked at. Pure functions of these and the model.
    """

    def __init__(self, model: RobotModel) -> None:
        self._model, self._tree = model, link_tree(model)

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
        arm, state = self._model.arm_joints, np.zeros((2, len(self._model.joints)))
        state[0, :arm] = np.asarray(positions, dtype=float)[:arm]
        reader = ArmReader(self._model, self._tree, (0.0, 0.0, 0.0, *IDENTITY), (0.0, 0.0, 0.0))
        reading = reader(state)
        return reading.pose, reading.jacobian
