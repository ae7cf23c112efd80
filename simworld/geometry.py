"""Poses and frames. A pose is seven numbers: position x, y, z in metres, then a unit quaternion x, y, z, w."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simworld.errors import ConfigurationError

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)


def quat_multiply(a: ArrayLike, b: ArrayLike) -> Array:
    """Hamilton product of quaternions of shape (..., 4): the rotation b followed by a."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim == b.ndim == 1:  # NumPy's call overhead would show in every reset
        return np.array(quat_product(a.tolist(), b.tolist()))
    ax, ay, az, aw = np.moveaxis(a, -1, 0)
    bx, by, bz, bw = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def quat_product(a: Sequence[float], b: Sequence[float]) -> Quaternion:
    """`quat_multiply` of two quaternions; plain floats, as NumPy's call overhead would show in every step."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def rotated(q: Sequence[float], v: Sequence[float]) -> Vec3:
    """The vector v turned by a unit quaternion; plain floats, as NumPy's call overhead would show in every step."""
    x, y, z, w = q
    a, b, c = v
    # v + 2 q x (q x v + w v)
    tx, ty, tz = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return (
        a + w * tx + y * tz - z * ty,
        b + w * ty + z * tx - x * tz,
        c + w * tz + x * ty - y * tx,
    )


def quat_from_vector(vector: Sequence[float]) -> Quaternion:
    """Quaternion of a rotation vector (3,): axis times angle in radians."""
    x, y, z = vector
    angle = math.hypot(x, y, z)
    times = math.sin(angle / 2) / angle if angle > 0 else 0.5
    return times * x, times * y, times * z, math.cos(angle / 2)


def rotation_towards(target: Sequence[float], current: Sequence[float]) -> Vec3:
    """The rotation vector, to first order, that turns one orientation into another: its length is 2 sin(angle / 2)."""
    tx, ty, tz, tw = target
    x, y, z, w = current
    s = 2.0 if tw * w + tx * x + ty * y + tz * z >= 0 else -2.0
    return (
        s * (tx * w - tw * x - ty * z + tz * y),
        s * (ty * w - tw * y - tz * x + tx * z),
        s * (tz * w - tw * z - tx * y + ty * x),
    )


def quat_from_yaw(yaw: float) -> Quaternion:
    """Quaternion of a rotation by `yaw` radians about z."""
    return (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))


def quat_from_euler(roll: float, pitch: float, yaw: float) -> Quaternion:
    """Quaternion of fixed-axis rotations about x, then y, then z (the URDF convention), in radians."""
    sr, cr = math.sin(roll / 2), math.cos(roll / 2)
    sp, cp = math.sin(pitch / 2), math.cos(pitch / 2)
    sy, cy = math.sin(yaw / 2), math.cos(yaw / 2)
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def quat_to_matrix(q: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    q = np.asarray(q, dtype=float)
    if q.ndim == 1:  # plain floats: NumPy's call overhead would show in every reset
        return np.array(_rotation_rows(*q.tolist()))
    return np.stack([np.stack(row, axis=-1) for row in _rotation_rows(*np.moveaxis(q, -1, 0))], axis=-2)


def _rotation_rows(x: Any, y: Any, z: Any, w: Any) -> list[list[Any]]:
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]


def matrix_to_quat(matrix: Array | Sequence[Vec3]) -> Quaternion:
    """Unit quaternion of a rotation matrix (3, 3), with w >= 0 (Shepperd 1978)."""
    # Plain floats: cameras are made anew in every episode, and NumPy's call overhead would show in its reset.
    m = matrix.tolist() if isinstance(matrix, np.ndarray) else matrix
    trace = m[0][0] + m[1][1] + m[2][2]
    i = max(range(3), key=lambda axis: m[axis][axis])
    q = [0.0, 0.0, 0.0, 0.0]
    if trace >= m[i][i]:
        q = [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], 1 + trace]
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        q[i] = 1 + m[i][i] - m[j][j] - m[k][k]
        q[j] = m[j][i] + m[i][j]
        q[k] = m[k][i] + m[i][k]
        q[3] = m[k][j] - m[j][k]
    scale = math.copysign(1.0, q[3]) / math.hypot(*q)
    return (q[0] * scale, q[1] * scale, q[2] * scale, q[3] * scale)


def euler_from_matrix(matrix: Array) -> Vec3:
    """Rotations about x, then y, then z, of a rotation matrix (3, 3)."""
    across = math.hypot(matrix[0, 0], matrix[1, 0])
    pitch = math.atan2(-matrix[2, 0], across)
    if across < 1e-9:  # x and z turn about the same axis
        return (math.atan2(-matrix[1, 2], matrix[1, 1]), pitch, 0.0)
    return (math.atan2(matrix[2, 1], matrix[2, 2]), pitch, math.atan2(matrix[1, 0], matrix[0, 0]))


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
    moved: Array = product(points, quat_to_matrix(pose[3:]).T) + pose[:3]
    return moved


def product(a: ArrayLike, b: ArrayLike) -> Array:
    """The product (n, m) of matrices (n, k) and (k, m), of the same bits on every processor.

    That of `@` is BLAS's, which adds up otherwise on each kind of processor.
    """
    left, right = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != len(right):
        raise ValueError(f"no product of {left.shape} and {right.shape}")
    parts = np.multiply(left[:, :, None], right, order="C")  # else the order of sums is that of what is given
    total: Array = np.add.reduce(parts, axis=1)
    return total


def look_at(eye: Vec3, target: Vec3, up: Vec3 = (0.0, 0.0, 1.0)) -> Quaternion:
    """Orientation of a camera at `eye` whose OpenCV frame (x right, y down, z forward) faces `target`."""
    forward = _normalized((target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]))
    right = _normalized(_cross(forward, up))
    down = _cross(forward, right)
    return matrix_to_quat([row for row in zip(right, down, forward, strict=True)])


def _cross(a: Vec3, b: Vec3) -> Vec3:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _normalized(v: Vec3) -> Vec3:
    length = math.hypot(*v)
    if length == 0:
        raise ConfigurationError("a camera cannot look at its own position, nor along its up direction")
    return (v[0] / length, v[1] / length, v[2] / length)
