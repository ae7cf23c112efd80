"""Matrices of what has a pose, in compiled loops: how parts are put in place."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel


@inlined
def rotation(pose: Any) -> Any:
    """The nine entries of a pose's rotation matrix, row by row."""
    x, y, z, w = pose[3], pose[4], pose[5], pose[6]
    return (
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    )


@kernel
def are_poses(poses: Any) -> bool:
    """Whether all poses (n, 7) are finite, with quaternions of length 1, within half a percent."""
    good = True
    for k in range(poses.shape[0]):
        square, total = 0.0, 0.0
        for x in range(3):
            total += poses[k, x]
        for x in range(3, 7):
            square += poses[k, x] * poses[k, x]
        good &= (square > 0.99) & (square < 1.01) & (abs(total) < np.inf)
    return good


@kernel
def to_view(pose: Any, out: Any) -> None:
    """The matrix `out` (3, 4) from the world to the frame that has a pose (7,)."""
    r = rotation(pose)
    for i in range(3):
        out[i, 0], out[i, 1], out[i, 2] = r[i], r[3 + i], r[6 + i]
        out[i, 3] = -(r[i] * pose[0] + r[3 + i] * pose[1] + r[6 + i] * pose[2])


@kernel
def look(carriers: Any, row: int, local: Any, out: Any) -> None:
    """The matrix `out` (3, 4) from the world to a frame at the pose `local` (7,) on carriers[row], or in it for -1."""
    to_view(local, out)
    if row < 0:
        return
    r, c = rotation(carriers[row]), carriers[row]
    for i in range(3):
        x, y, z = out[i, 0], out[i, 1], out[i, 2]
        out[i, 0] = x * r[0] + y * r[1] + z * r[2]
        out[i, 1] = x * r[3] + y * r[4] + z * r[5]
        out[i, 2] = x * r[6] + y * r[7] + z * r[8]
        out[i, 3] -= out[i, 0] * c[0] + out[i, 1] * c[1] + out[i, 2] * c[2]


@kernel
def place(carriers: Any, carrier: Any, local: Any, view: Any, out: Any) -> None:
    """Matrices `out` (p, 3, 4) from each part's frame to a view.

    Part k is at the pose `local` (p, 7) on the world pose carriers[carrier[k]] (n, 7); `view` (3, 4) takes world points
    to the view.
    """
    for k in range(carrier.shape[0]):
        c = carriers[carrier[k]]
        parent = rotation(c)
        own = rotation(local[k])
        for i in range(3):
            a0 = view[i, 0] * parent[0] + view[i, 1] * parent[3] + view[i, 2] * parent[6]
            a1 = view[i, 0] * parent[1] + view[i, 1] * parent[4] + view[i, 2] * parent[7]
            a2 = view[i, 0] * parent[2] + view[i, 1] * parent[5] + view[i, 2] * parent[8]
            for j in range(3):
                out[k, i, j] = a0 * own[j] + a1 * own[3 + j] + a2 * own[6 + j]
            moved = a0 * local[k, 0] + a1 * local[k, 1] + a2 * local[k, 2] + view[i, 3]
            out[k, i, 3] = moved + view[i, 0] * c[0] + view[i, 1] * c[1] + view[i, 2] * c[2]
