"""Where the links of a robot are, and postures that bring one of them somewhere."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from simworld.assets.robot_import.link_masses import pose_matrix
from simworld.assets.urdf import Joint, span
from simworld.geometry import Array

_STEPS, _DAMPING = 80, 1e-4
_STILL = 1e-5
"""Radians and metres below which no step leads any further."""
_NEAR = 1e-4
"""Metres and radians within which a pose is reached."""


def frames(joints: Sequence[Joint], positions: Mapping[str, float]) -> dict[str, Array]:
    """The poses (4, 4) of all links in the frame of the base; joints that mimic go along, others not named are at 0."""
    found = {joints[0].parent: np.eye(4)} if joints else {}
    for joint in joints:
        found[joint.child] = (
            found[joint.parent]
            @ pose_matrix(joint.position, joint.orientation)
            @ _motion(joint, position_of(joint, positions))
        )
    return found


def position_of(joint: Joint, positions: Mapping[str, float]) -> float:
    """Where a joint is, rad or m."""
    if joint.mimic is not None:
        return joint.mimic.multiplier * positions.get(joint.mimic.joint, 0.0) + joint.mimic.offset
    return positions.get(joint.name, 0.0)


def _motion(joint: Joint, position: float) -> Array:
    axis = np.array(joint.axis)
    if joint.kind == "prismatic":
        return pose_matrix(axis * position, (0.0, 0.0, 0.0, 1.0))
    return pose_matrix((0.0, 0.0, 0.0), (*(axis * np.sin(position / 2)), np.cos(position / 2)))


class ArmFrames:
    """The joints from the base to the tool, whose pose in the frame of the last link is `tool` (4, 4)."""

    def __init__(self, joints: Sequence[Joint], tool: Array) -> None:
        self.joints, self._tool = joints, tool
        self.lower, self.upper = (np.array([getattr(j, end) for j in joints]) for end in ("lower", "upper"))
        self._slides = np.array([joint.kind == "prismatic" for joint in joints])
        self._axes = np.array([joint.axis for joint in joints])
        # A joint at q takes the next link to at + sin(q) once + (1 - cos(q)) twice (Rodrigues), or to at + q once.
        self._at = np.array([pose_matrix(joint.position, joint.orientation) for joint in joints])
        along, once = np.zeros((2, len(joints), 4, 4))
        along[:, :3, 3] = self._axes
        once[:, :3, :3] = np.cross(np.eye(3), self._axes[:, None])
        slides = self._slides[:, None, None]
        self._once, self._twice = self._at @ np.where(slides, along, once), self._at @ np.where(slides, 0, once @ once)

    @property
    def span(self) -> float:
        """Metres from the base beyond which the tool never gets."""
        limits = {joint.name: (joint.lower, joint.upper) for joint in self.joints}
        return span(self.joints, limits) + float(np.linalg.norm(self._tool[:3, 3]))

    def tool_and_jacobian(self, q: Array) -> tuple[Array, Array]:
        """The tool's pose (4, 4) and its geometric Jacobian (6, n), in the frame of the base."""
        once, twice = np.where(self._slides, q, np.sin(q)), 1 - np.cos(q)
        steps = self._at + once[:, None, None] * self._once + twice[:, None, None] * self._twice
        poses = np.array([*accumulate(steps, np.matmul)])
        tool = poses[-1] @ self._tool
        axes = (poses[:, :3, :3] @ self._axes[:, :, None])[:, :, 0]
        slides = self._slides[:, None]
        levers = np.cross(axes, tool[:3, 3] - poses[:, :3, 3])
        return tool, np.hstack([np.where(slides, axes, levers), np.where(slides, 0.0, axes)]).T

    def reach(self, target: Array, q: Array) -> Array | None:
        """Positions (n,) that bring the tool to a pose (4, 4), by small steps from `q`; None where they do not."""
        for _ in range(_STEPS):
            tool, jacobian = self.tool_and_jacobian(q)
            turn = target[:3, :3] @ tool[:3, :3].T
            twist = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
            error = np.concatenate([target[:3, 3] - tool[:3, 3], twist])
            if np.abs(error).max() < _NEAR and np.trace(turn) > 0:
                return q
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPING * np.eye(6), error)
            step /= max(1.0, np.abs(step).max() / 0.5)
            before, q = q, np.clip(q + step, self.lower, self.upper)
            if np.abs(q - before).max() < _STILL:
                return None
        return None
