"""Where the links of a robot are, how its tool moves, and what carries it: the compiled part of reading an arm."""

import math
from typing import Any

from simworld.kernels import inlined, kernel

PARENT, KIND, COLUMN, PLACE, AXIS, MASS, CENTER, INERTIA, WIDTH = 0, 1, 2, 3, 10, 13, 14, 17, 23
"""Columns of a tree (links, WIDTH), with a row for each link but the base, parents first.

The parent's row among all links, of which the base is 0; the joint's kind, FIXED, TURNS or SLIDES; its place among the
joints that move; the pose of its frame in the parent's; its axis; and the link's mass, centre of mass and
moments of inertia about that (xx, xy, xz, yy, yz, zz), in its own frame.
"""
FIXED, TURNS, SLIDES = 0, 1, 2
POSE, VELOCITY, JACOBIAN = 0, 7, 13
"""Where in `now` are the tool's pose (7,), its velocity (6,), and the rows of its Jacobian (6, arm joints); then come
the forces that carry the robot as it moves (joints,)."""
WORK = 24
"""Numbers that are worked with for each link, the base too."""
AXIS_OF, _SPIN, _TURN, _RISE, _FORCE, _MOMENT = 0, 3, 6, 9, 12, 15
"""Vectors among them; the first is the axis of the link's joint in the world."""
_FAR = 18


@inlined
def turned(q: Any, a: float, b: float, c: float) -> Any:
    """A vector turned by the orientation of a pose."""
    x, y, z, w = q[3], q[4], q[5], q[6]
    tx, ty, tz = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx


@inlined
def placed(pose: Any, a: float, b: float, c: float) -> Any:
    """A point of the frame at a pose."""
    x, y, z = turned(pose, a, b, c)
    return x + pose[0], y + pose[1], z + pose[2]


@inlined
def _unturned(q: Any, a: float, b: float, c: float) -> Any:
    """A vector of the world in the axes of a pose."""
    x, y, z, w = -q[3], -q[4], -q[5], q[6]
    tx, ty, tz = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx


@inlined
def _cross(a: float, b: float, c: float, x: float, y: float, z: float) -> Any:
    return b * z - c * y, c * x - a * z, a * y - b * x


@inlined
def _composed(a: Any, b: Any, out: Any) -> None:
    """The pose `out` (7,) of what is at b in the frame of a."""
    x, y, z = turned(a, b[0], b[1], b[2])
    out[0], out[1], out[2] = a[0] + x, a[1] + y, a[2] + z
    out[3] = a[6] * b[3] + a[3] * b[6] + a[4] * b[5] - a[5] * b[4]
    out[4] = a[6] * b[4] - a[3] * b[5] + a[4] * b[6] + a[5] * b[3]
    out[5] = a[6] * b[5] + a[3] * b[4] - a[4] * b[3] + a[5] * b[6]
    out[6] = a[6] * b[6] - a[3] * b[3] - a[4] * b[4] - a[5] * b[5]


@kernel
def place_links(tree: Any, positions: Any, poses: Any) -> None:
    """Poses (1 + links, 7) of all links in the world, where the base is at poses[0] and joints at positions (j,)."""
    for k in range(tree.shape[0]):
        row, out = tree[k], poses[k + 1]
        _composed(poses[int(row[PARENT])], row[PLACE:AXIS], out)
        if row[KIND] == FIXED:
            continue
        position = positions[int(row[COLUMN])]
        if row[KIND] == SLIDES:
            x, y, z = turned(out, row[AXIS] * position, row[AXIS + 1] * position, row[AXIS + 2] * position)
            out[0] += x
            out[1] += y
            out[2] += z
            continue
        s, c = math.sin(position / 2), math.cos(position / 2)
        x, y, z, w = out[3], out[4], out[5], out[6]
        i, j, k_ = row[AXIS] * s, row[AXIS + 1] * s, row[AXIS + 2] * s
        out[3] = w * i + x * c + y * k_ - z * j
        out[4] = w * j - x * k_ + y * c + z * i
        out[5] = w * k_ + x * j - y * i + z * c
        out[6] = w * c - x * i - y * j - z * k_


@kernel
def read_arm(tree: Any, tool: Any, gravity: Any, state: Any, poses: Any, work: Any, now: Any) -> None:
    """Place all links and say of the arm what there is to say `now`.

    `tool` is the row of the link that the tool is on, and its pose (7,) on that; `state` (2, joints) positions and
    velocities; `work` (1 + links, WORK), of which the first row is 0.
    """
    place_links(tree, state[0], poses)
    _composed(poses[int(tool[0])], tool[1:], now)
    joints = state.shape[1]
    arm = (now.shape[0] - JACOBIAN - joints) // 6
    place_axes(tree, poses, work)
    _move_tool(tree, state[1], poses, arm, work, now)
    carry_robot(tree, gravity, state[1], poses, work, now[JACOBIAN + 6 * arm :])


@inlined
def place_axes(tree: Any, poses: Any, work: Any) -> None:
    """The axes of the joints in the world, in `work`."""
    for k in range(tree.shape[0]):
        row, own = tree[k], work[k + 1]
        x, y, z = turned(poses[k + 1], row[AXIS], row[AXIS + 1], row[AXIS + 2])
        own[AXIS_OF], own[AXIS_OF + 1], own[AXIS_OF + 2] = x, y, z


@inlined
def _move_tool(tree: Any, velocities: Any, poses: Any, arm: int, work: Any, now: Any) -> None:
    """The tool's Jacobian (Siciliano et al. 2009, section 3.1), and its velocity."""
    for i in range(6):
        now[VELOCITY + i] = 0.0
    for k in range(tree.shape[0]):
        row, pose, own = tree[k], poses[k + 1], work[k + 1]
        x, y, z = own[AXIS_OF], own[AXIS_OF + 1], own[AXIS_OF + 2]
        column = int(row[COLUMN])
        if row[KIND] == FIXED or column >= arm:
            continue
        a, b, c = x, y, z
        if row[KIND] == SLIDES:
            x, y, z = 0.0, 0.0, 0.0
        else:
            a, b, c = _cross(x, y, z, now[0] - pose[0], now[1] - pose[1], now[2] - pose[2])
        for i, value in enumerate((a, b, c, x, y, z)):
            now[JACOBIAN + i * arm + column] = value
            now[VELOCITY + i] += value * velocities[column]


@inlined
def carry_robot(tree: Any, gravity: Any, velocities: Any, poses: Any, work: Any, needed: Any) -> None:
    """Forces (joints,) that keep the joints at their velocities (Luh, Walker and Paul 1980), in the world's axes."""
    for k in range(tree.shape[0]):
        row, pose, own = tree[k], poses[k + 1], work[k + 1]
        parent = int(row[PARENT])
        before = work[parent]
        wx, wy, wz = before[_SPIN], before[_SPIN + 1], before[_SPIN + 2]
        ux, uy, uz = before[_TURN], before[_TURN + 1], before[_TURN + 2]
        rx, ry, rz = pose[0] - poses[parent, 0], pose[1] - poses[parent, 1], pose[2] - poses[parent, 2]
        ax, ay, az = _rising(wx, wy, wz, ux, uy, uz, rx, ry, rz)
        ax, ay, az = ax + before[_RISE], ay + before[_RISE + 1], az + before[_RISE + 2]
        if row[KIND] != FIXED:
            v = velocities[int(row[COLUMN])]
            x, y, z = own[AXIS_OF] * v, own[AXIS_OF + 1] * v, own[AXIS_OF + 2] * v
            cx, cy, cz = _cross(wx, wy, wz, x, y, z)
            if row[KIND] == SLIDES:
                ax, ay, az = ax + 2 * cx, ay + 2 * cy, az + 2 * cz
            else:
                ux, uy, uz = ux + cx, uy + cy, uz + cz
                wx, wy, wz = wx + x, wy + y, wz + z
        own[_SPIN], own[_SPIN + 1], own[_SPIN + 2] = wx, wy, wz
        own[_TURN], own[_TURN + 1], own[_TURN + 2] = ux, uy, uz
        own[_RISE], own[_RISE + 1], own[_RISE + 2] = ax, ay, az
        _weigh(row, pose, gravity, own)
        own[_FAR], own[_FAR + 1], own[_FAR + 2] = rx, ry, rz
    for k in range(tree.shape[0] - 1, -1, -1):
        row, own = tree[k], work[k + 1]
        fx, fy, fz = own[_FORCE], own[_FORCE + 1], own[_FORCE + 2]
        nx, ny, nz = own[_MOMENT], own[_MOMENT + 1], own[_MOMENT + 2]
        if row[KIND] != FIXED:
            x, y, z = own[AXIS_OF], own[AXIS_OF + 1], own[AXIS_OF + 2]
            needed[int(row[COLUMN])] = fx * x + fy * y + fz * z if row[KIND] == SLIDES else nx * x + ny * y + nz * z
        parent = int(row[PARENT])
        if parent > 0:
            before = work[parent]
            x, y, z = _cross(own[_FAR], own[_FAR + 1], own[_FAR + 2], fx, fy, fz)
            for i, value in enumerate((fx, fy, fz, nx + x, ny + y, nz + z)):
                before[_FORCE + i] += value


@inlined
def _rising(wx: float, wy: float, wz: float, ux: float, uy: float, uz: float, x: float, y: float, z: float) -> Any:
    """How a point at (x, y, z) is accelerated by what turns at w and ever faster by u."""
    a, b, c = _cross(wx, wy, wz, x, y, z)
    a, b, c = _cross(wx, wy, wz, a, b, c)
    d, e, f = _cross(ux, uy, uz, x, y, z)
    return a + d, b + e, c + f


@inlined
def _weigh(row: Any, pose: Any, gravity: Any, own: Any) -> None:
    """The force and the moment about its origin that a link needs."""
    x, y, z = turned(pose, row[CENTER], row[CENTER + 1], row[CENTER + 2])
    wx, wy, wz = own[_SPIN], own[_SPIN + 1], own[_SPIN + 2]
    ux, uy, uz = own[_TURN], own[_TURN + 1], own[_TURN + 2]
    a, b, c = _rising(wx, wy, wz, ux, uy, uz, x, y, z)
    mass = row[MASS]
    fx = mass * (a + own[_RISE] - gravity[0])
    fy = mass * (b + own[_RISE + 1] - gravity[1])
    fz = mass * (c + own[_RISE + 2] - gravity[2])
    wx, wy, wz = _unturned(pose, wx, wy, wz)
    ux, uy, uz = _unturned(pose, ux, uy, uz)
    i = row[INERTIA:WIDTH]
    sx, sy, sz = _cross(
        wx,
        wy,
        wz,
        i[0] * wx + i[1] * wy + i[2] * wz,
        i[1] * wx + i[3] * wy + i[4] * wz,
        i[2] * wx + i[4] * wy + i[5] * wz,
    )
    nx, ny, nz = turned(
        pose,
        sx + i[0] * ux + i[1] * uy + i[2] * uz,
        sy + i[1] * ux + i[3] * uy + i[4] * uz,
        sz + i[2] * ux + i[4] * uy + i[5] * uz,
    )
    a, b, c = _cross(x, y, z, fx, fy, fz)
    own[_FORCE], own[_FORCE + 1], own[_FORCE + 2] = fx, fy, fz
    own[_MOMENT], own[_MOMENT + 1], own[_MOMENT + 2] = nx + a, ny + b, nz + c
