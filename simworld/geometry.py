"""Poses and frames. A pose is seven numbers: position x, y, z in metres, then a unit quaternion x, y, z, w."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)


def quat_multiply(a: ArrayLike, b: ArrayLike) -> Array:
    """Hamilton product of quaternions of shape (..., 4): the rotation b followed by a."""
    ax, ay, az, aw = np.moveaxis(np.asarray(a, dtype=float), -1, 0)
    bx, by, bz, bw = np.moveaxis(np.asarray(b, dtype=float), -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def quat_from_yaw(yaw: float) -> Quaternion:
    """Quaternion of a rotation by `yaw` radians about z."""
    return (0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))


def quat_from_euler(roll: float, pitch: float, yaw: float) -> Quaternion:
    """Quaternion of fixed-axis rotations about x, then y, then z (the URDF convention), in radians."""
    x = (np.sin(roll / 2), 0.0, 0.0, np.cos(roll / 2))
    y = (0.0, np.sin(pitch / 2), 0.0, np.cos(pitch / 2))
    q = quat_multiply(quat_from_yaw(yaw), quat_multiply(y, x))
    return (float(q[0]), float(q[1]), float(q[2]), float(q[3]))


def quat_to_matrix(q: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=float), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quat(matrix: ArrayLike) -> Quaternion:
    """Unit quaternion of a rotation matrix (3, 3), with w >= 0 (Shepperd 1978)."""
    m = np.asarray(matrix, dtype=float)
    diagonal = np.array([m[0, 0], m[1, 1], m[2, 2], np.trace(m)])
    i = int(np.argmax(diagonal))
    q = np.empty(4)
    if i == 3:
        q[:] = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + diagonal[3]
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        q[i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[j] = m[j, i] + m[i, j]
        q[k] = m[k, i] + m[i, k]
        q[3] = m[k, j] - m[j, k]
    q *= np.copysign(1.0, q[3]) / np.linalg.norm(q)
    return (float(q[0]), float(q[1]), float(q[2]), float(q[3]))


def compose(a: ArrayLike, b: ArrayLike) -> Array:
    """Pose (..., 7) of frame b given in frame a, where a is given in the world: the world pose of b."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    position = a[..., :3] + np.einsum("...ij,...j->...i", quat_to_matrix(a[..., 3:]), b[..., :3])
    return np.concatenate([position, quat_multiply(a[..., 3:], b[..., 3:])], axis=-1)


def invert(pose: ArrayLike) -> Array:
    """The inverse of a pose (..., 7)."""
    pose = np.asarray(pose, dtype=float)
    conjugate = pose[..., 3:] * np.array([-1.0, -1.0, -1.0, 1.0])
    position = -np.einsum("...ij,...j->...i", quat_to_matrix(conjugate), pose[..., :3])
    return np.concatenate([position, conjugate], axis=-1)


def transform_points(pose: ArrayLike, points: ArrayLike) -> Array:
    """Points (n, 3) of a frame with the given pose (7,), in the world."""
    pose = np.asarray(pose, dtype=float)
    moved: Array = np.asarray(points, dtype=float) @ quat_to_matrix(pose[3:]).T + pose[:3]
    return moved


def look_at(eye: Sequence[float], target: Sequence[float], up: Sequence[float] = (0.0, 0.0, 1.0)) -> Quaternion:
    """Orientation of a camera at `eye` whose OpenCV frame (x right, y down, z forward) faces `target`."""
    forward = np.asarray(target, dtype=float) - np.asarray(eye, dtype=float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, np.asarray(up, dtype=float))
    right /= np.linalg.norm(right)
    return matrix_to_quat(np.stack([right, np.cross(forward, right), forward], axis=1))
