"""End-effector control: small moves of the tool centre point become joint targets."""

from collections.abc import Sequence

import numpy as np

from simworld.geometry import Array, Quaternion
from simworld.physics.substeps import CONTROL_HZ
from simworld.physics.world import World

DOWN: Quaternion = (1.0, 0.0, 0.0, 0.0)
"""Tool orientation with the fingers pointing down and opening along the world's y axis."""

MAX_DISPLACEMENT = 0.04
"""Metres the target moves ahead of the tool in one control step at full action, per axis."""

PRESS, TWIST = 50.0, 5.0
"""Newtons and newton metres with which the tool moves and presses, at most, beyond what carries the arm."""

_DAMPED = 0.05**2 * np.eye(6)
_POSTURE_GAIN = 0.1


class EndEffectorControl:
    """Turns an action (dx, dy, dz, gripper), each in -1..1, into joint targets of the World.

    The displacement moves a reference point, kept within MAX_DISPLACEMENT of the tool and inside the workspace; with a
    zero action the tool comes to rest there. The tool follows it, held in `orientation`, by damped least squares
    (Wampler 1986; Nakamura and Hanafusa 1986) with the rest posture as the secondary task in the null space, within
    joint and velocity limits; beyond what carries the arm it does no more than PRESS, so that the arm gives way to
    what it meets. `gripper` is the rate at which a reference of the opening moves, -1 closing and 1 opening at the
    fingers' full speed; it is kept within a step of the opening and inside what the fingers can do. With zero it stays:
    open fingers stay open, and what is held is squeezed on.
    """

    def __init__(self, world: World, workspace: tuple[Sequence[float], Sequence[float]]) -> None:
        self._world = world
        model = world.model
        self._low, self._high = tuple(workspace[0]), tuple(workspace[1])
        n = model.arm_joints
        self._rest = np.array(model.rest[:n])
        self._lower, self._upper = np.array(model.lower[:n]), np.array(model.upper[:n])
        self._fastest = CONTROL_HZ / np.array(model.max_velocity[:n])
        self._gripper = model.gripper
        self._opening_step = model.gripper.speed / CONTROL_HZ
        self._reference = world.tool_pose()[:3].tolist()
        self._opening = world.opening()
        levers = np.linalg.norm(world.tool_kinematics()[1][:3], axis=0)
        self._yielding: list[float] = (PRESS * levers + TWIST).tolist()

    def apply(self, action: Array, orientation: Quaternion = DOWN) -> None:
        """Set the joint targets for the next control step."""
        tool, jacobian = self._world.tool_kinematics()
        q = self._world.joints()[0]
        here = tool.tolist()
        limits = zip(self._reference, action.tolist(), here, self._low, self._high, strict=False)
        self._reference = [
            _clip(_clip(r + a * MAX_DISPLACEMENT, t - MAX_DISPLACEMENT, t + MAX_DISPLACEMENT), low, high)
            for r, a, t, low, high in limits
        ]
        error = [r - t for r, t in zip(self._reference, here, strict=False)]
        joints = self._towards([*error, *_rotation_error(orientation, here[3:])], jacobian, q[: len(self._rest)])
        opened, step = self._world.opening(), self._opening_step
        opening = _clip(self._opening + float(action[3]) * step, opened - step, opened + step)
        self._opening = _clip(opening, self._gripper.least, self._gripper.most)
        self._world.set_joint_targets([*joints.tolist(), *self._gripper.targets(self._opening)], self._yielding)

    def _towards(self, error: list[float], jacobian: Array, q: Array) -> Array:
        """One damped least-squares step of the arm's joints (arm_joints,) that mends a tool pose error (6,)."""
        posture = _POSTURE_GAIN * (self._rest - q)
        step = posture + jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPED, error - jacobian @ posture)
        step /= max(1.0, *map(abs, (step * self._fastest).tolist()))
        joints: Array = np.minimum(np.maximum(q + step, self._lower), self._upper)
        return joints


def _clip(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value


def _rotation_error(target: Sequence[float], current: Sequence[float]) -> tuple[float, float, float]:
    """Twice the vector part of target * conjugate(current): the rotation vector, to first order."""
    tx, ty, tz, tw = target
    x, y, z, w = current
    s = 2.0 if tw * w + tx * x + ty * y + tz * z >= 0 else -2.0
    return (
        s * (tx * w - tw * x - ty * z + tz * y),
        s * (ty * w - tw * y - tz * x + tx * z),
        s * (tz * w - tw * z - tx * y + ty * x),
    )
