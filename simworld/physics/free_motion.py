"""How an arm moves that nothing touches: its equations of motion with motors that are limited, in compiled loops.

Per substep, as Bullet does it: what carries the arm and its inertia as it is placed (Featherstone 2008, chapters 5 and
6), velocities that the motors ask for as far as their forces go, and then positions (semi-implicit Euler).
"""

from typing import Any

from simworld.kernels import inlined, kernel
from simworld.physics.articulated import (
    AXIS_OF,
    CENTER,
    COLUMN,
    FIXED,
    INERTIA,
    KIND,
    MASS,
    PARENT,
    SLIDES,
    carry_robot,
    place_axes,
    place_links,
    turned,
)
from simworld.physics.cholesky import solve

FREEDOM, RATIO, OFFSET, BRAKE = 0, 1, 2, 3
"""Rows of `joints` (4, joints): the degree of freedom that a joint goes with, how far for each unit of it, and from
where: joints of a gripper go together. And the force that brakes it, for each unit of the velocity with which it begins
a control step, as in Bullet."""
MOTOR = TARGET, SPEED, STIFFNESS, DAMPING, LIMIT, CARRIED, LOWER, UPPER = 0, 1, 2, 3, 4, 5, 6, 7
"""Rows of `motors` (8, freedoms): where and how fast it is aimed, the gains of a substep, the most it may do beyond the
force that is told beside it, and where it comes to a stop."""
SCRATCH = INERTIAS, MASSES, FACTORS, VECTORS = 0, 1, 2, 3
"""Sheets of `scratch` (4, n, n), where n is the largest of 10 and how many links and joints there are."""
LEFT = 3
"""The row of VECTORS in which the last substep leaves the impulses of motors, and of stops, with the other sign."""
_SWEEPS, _SETTLED = 60, 1e-7
"""Of all motors, to find out which of them do all they may; and the change of velocities that is none."""


@kernel
def move_freely(
    tree: Any,
    gravity: Any,
    joints: Any,
    motors: Any,
    start: Any,
    seconds: float,
    substeps: int,
    poses: Any,
    work: Any,
    scratch: Any,
    end: Any,
) -> None:
    """Where the joints are, and how fast, after a control step of so many seconds: `end` (2, joints), from `start`.

    `poses` (1 + links, 7), of which the first is given, are those of the links at the end, and `work` is as in
    `read_arm`.
    """
    freedoms = motors.shape[1]
    dt = seconds / substeps
    inertia, mass, vectors = scratch[INERTIAS], scratch[MASSES], scratch[VECTORS]
    q, v, wanted, pull = vectors[0], vectors[1], vectors[2, :freedoms], vectors[LEFT]
    needed, factors = vectors[4], scratch[FACTORS]
    _gather(joints, start, q, v, pull, freedoms)
    _spread(joints, q, v, end)
    for _ in range(substeps):
        place_links(tree, end[0], poses)
        place_axes(tree, poses, work)
        carry_robot(tree, gravity, end[1], poses, work, needed)
        _find_mass(tree, joints, poses, work, inertia, mass, freedoms)
        _pull(joints, motors, needed, start[1], pull, dt)
        _want(motors, mass, q, v, pull, factors, wanted, dt)
        _drive(motors, mass, q, v, wanted, pull, dt)
        for i in range(freedoms):
            q[i] += v[i] * dt
        _spread(joints, q, v, end)
    place_links(tree, end[0], poses)


@inlined
def _gather(joints: Any, state: Any, q: Any, v: Any, count: Any, freedoms: int) -> None:
    """Positions and velocities of degrees of freedom: what the joints that go with them say on average."""
    for i in range(freedoms):
        q[i] = v[i] = count[i] = 0.0
    for k in range(state.shape[1]):
        i, ratio = int(joints[FREEDOM, k]), joints[RATIO, k]
        q[i] += (state[0, k] - joints[OFFSET, k]) / ratio
        v[i] += state[1, k] / ratio
        count[i] += 1.0
    for i in range(freedoms):
        q[i] /= count[i]
        v[i] /= count[i]


@inlined
def _spread(joints: Any, q: Any, v: Any, state: Any) -> None:
    """Positions and velocities (2, joints) of joints that go with degrees of freedom."""
    for k in range(state.shape[1]):
        i, ratio = int(joints[FREEDOM, k]), joints[RATIO, k]
        state[0, k] = ratio * q[i] + joints[OFFSET, k]
        state[1, k] = ratio * v[i]


@inlined
def _pull(joints: Any, motors: Any, needed: Any, velocities: Any, pull: Any, dt: float) -> None:
    """The impulses on degrees of freedom beside their motors': what carries them, less what they need and lose."""
    for i in range(motors.shape[1]):
        pull[i] = motors[CARRIED, i] * dt
    for k in range(joints.shape[1]):
        pull[int(joints[FREEDOM, k])] -= joints[RATIO, k] * (needed[k] + joints[BRAKE, k] * velocities[k]) * dt


@inlined
def _want(motors: Any, mass: Any, q: Any, v: Any, pull: Any, factors: Any, wanted: Any, dt: float) -> None:
    """The velocities that motors ask for; from those that there are without them, as Bullet's do."""
    for i in range(wanted.shape[0]):
        wanted[i] = pull[i]
        for j in range(i + 1):
            factors[i, j] = mass[i, j]
    solve(factors, wanted)
    for i in range(wanted.shape[0]):
        left = v[i] + wanted[i]
        wanted[i] = left + motors[STIFFNESS, i] * (motors[TARGET, i] - q[i]) / dt
        wanted[i] += motors[DAMPING, i] * (motors[SPEED, i] - left)


@inlined
def _drive(motors: Any, mass: Any, q: Any, v: Any, wanted: Any, pull: Any, dt: float) -> None:
    """Velocities `v` after a substep of `dt`: those that are wanted, or as near to them as the motors can come.

    They are where 1/2 dv M dv - pull dv + sum(limit dt |v - wanted|) is least: found by one motor after the other.
    """
    freedoms = motors.shape[1]
    # From here on `pull` is what is left of it for the motors to take, at the velocities that are tried.
    for i in range(freedoms):
        change = wanted[i] - v[i]
        v[i] = wanted[i]
        for j in range(freedoms):
            pull[j] -= mass[j, i] * change
    for _ in range(_SWEEPS):
        most = 0.0
        for i in range(freedoms):
            own, limit = mass[i, i], motors[LIMIT, i] * dt
            reached = min(max(wanted[i], v[i] + (pull[i] - limit) / own), v[i] + (pull[i] + limit) / own)
            reached = min(max(reached, (motors[LOWER, i] - q[i]) / dt), (motors[UPPER, i] - q[i]) / dt)
            change = reached - v[i]
            if change != 0.0:
                v[i] += change
                most = max(most, abs(change))
                for j in range(freedoms):
                    pull[j] -= mass[j, i] * change
        if most < _SETTLED:
            break


@inlined
def _find_mass(tree: Any, joints: Any, poses: Any, work: Any, inertia: Any, mass: Any, freedoms: int) -> None:
    """The mass matrix (freedoms, freedoms), by composite rigid bodies, about the base and in the world's axes."""
    x, y, z = poses[0, 0], poses[0, 1], poses[0, 2]
    _weigh_links(tree, poses, x, y, z, inertia)
    for i in range(freedoms):
        for j in range(freedoms):
            mass[i, j] = 0.0
    for k in range(tree.shape[0] - 1, -1, -1):
        row, own = tree[k], inertia[k]
        if row[KIND] == FIXED:
            continue
        wx, wy, wz, ux, uy, uz = _twist(row, poses[k + 1], work[k + 1], x, y, z)
        m, a, b, c = own[0], own[1], own[2], own[3]
        # The momentum of all that the joint carries as it alone moves: linear, and angular about the base.
        fx, fy, fz = m * ux + wy * c - wz * b, m * uy + wz * a - wx * c, m * uz + wx * b - wy * a
        nx = own[4] * wx + own[5] * wy + own[6] * wz + b * uz - c * uy
        ny = own[5] * wx + own[7] * wy + own[8] * wz + c * ux - a * uz
        nz = own[6] * wx + own[8] * wy + own[9] * wz + a * uy - b * ux
        here, ratio = int(joints[FREEDOM, int(row[COLUMN])]), joints[RATIO, int(row[COLUMN])]
        other = k
        while other >= 0:
            row = tree[other]
            if row[KIND] != FIXED:
                wx, wy, wz, ux, uy, uz = _twist(row, poses[other + 1], work[other + 1], x, y, z)
                there, both = int(joints[FREEDOM, int(row[COLUMN])]), ratio * joints[RATIO, int(row[COLUMN])]
                both *= wx * nx + wy * ny + wz * nz + ux * fx + uy * fy + uz * fz
                mass[here, there] += both
                if other != k:
                    mass[there, here] += both
            other = int(row[PARENT]) - 1


@inlined
def _twist(row: Any, pose: Any, own: Any, x: float, y: float, z: float) -> Any:
    """How a joint that moves turns what it carries, and moves that part of it which is at (x, y, z)."""
    a, b, c = own[AXIS_OF], own[AXIS_OF + 1], own[AXIS_OF + 2]
    if row[KIND] == SLIDES:
        return 0.0, 0.0, 0.0, a, b, c
    rx, ry, rz = pose[0] - x, pose[1] - y, pose[2] - z
    return a, b, c, ry * c - rz * b, rz * a - rx * c, rx * b - ry * a


@inlined
def _weigh_links(tree: Any, poses: Any, x: float, y: float, z: float, inertia: Any) -> None:
    """Fill `inertia` (links, 10) with that of each link and all that it carries."""
    for k in range(tree.shape[0]):
        _weigh_link(tree[k], poses[k + 1], x, y, z, inertia[k])
    for k in range(tree.shape[0] - 1, -1, -1):
        parent = int(tree[k, PARENT])
        if parent > 0:
            for i in range(10):
                inertia[parent - 1, i] += inertia[k, i]


@inlined
def _weigh_link(row: Any, pose: Any, x: float, y: float, z: float, out: Any) -> None:
    """Mass of a link, its first moments (3,) and its second ones (6,) about (x, y, z), in the world's axes."""
    m, i = row[MASS], row[INERTIA:]
    a, b, c = turned(pose, row[CENTER], row[CENTER + 1], row[CENTER + 2])
    a, b, c = a + pose[0] - x, b + pose[1] - y, c + pose[2] - z
    out[0], out[1], out[2], out[3] = m, m * a, m * b, m * c
    ax, bx, cx = turned(pose, i[0], i[1], i[2])
    ay, by, cy = turned(pose, i[1], i[3], i[4])
    az, bz, cz = turned(pose, i[2], i[4], i[5])
    xx, xy, xz = turned(pose, ax, ay, az)
    _, yy, yz = turned(pose, bx, by, bz)
    _, _, zz = turned(pose, cx, cy, cz)
    out[4], out[5], out[6] = xx + m * (b * b + c * c), xy - m * a * b, xz - m * a * c
    out[7], out[8], out[9] = yy + m * (a * a + c * c), yz - m * b * c, zz + m * (a * a + b * b)
