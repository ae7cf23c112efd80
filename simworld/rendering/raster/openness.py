"""How open the sky is to each lane of a block, and what is in its way, from `surroundings` in the camera's frame."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.raster.surroundings import BOXES, HEIGHT, INSIDE, OUTSIDE, SIZE, SPHERES, STRIDE, TOP, UP, WALL
from simworld.rendering.raster.work import DIRECT, LANES, LIT, MAP, NORMAL, POSITION

# Rows that are filled for lamps later.
ARM_SHARE = LIT
"""Share of the sky that the arm hides."""
DEPTHS = LIT + LANES
"""Share of the sky that is seen from inside a box."""
WITHIN = LIT + 2 * LANES
"""1 inside a box."""
BESIDE = LIT + 3 * LANES
"""Share of what is around that is not the outside of a box."""
THROWN = DIRECT
"""What is thrown back by the inside of the box, or by the outsides of boxes (3 rows)."""

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_X, _Y, _Z = POSITION, POSITION + LANES, POSITION + 2 * LANES
_NX, _NY, _NZ = NORMAL, NORMAL + LANES, NORMAL + 2 * LANES
_SKIN = _F(0.0005)
"""Metres by which a surface may be off its place."""
_REACH = _F(4.0)
"""Heights of a box from which on it hides nothing."""
_UNDER_ARM, _FADING = _F(0.3), _F(0.15)
"""Metres above the ground from which on the arm hides nothing, and below that the height in which this fades: the arm
does not stay where it rests."""


@kernel
def openness_rows(count: int, around: Any, w: Any) -> None:
    """Fill ARM_SHARE, DEPTHS, WITHIN, BESIDE and THROWN."""
    for j in range(count):
        w[ARM_SHARE + j], w[DEPTHS + j], w[WITHIN + j], w[BESIDE + j] = _ZERO, _ONE, _ZERO, _ONE
        w[THROWN + j], w[THROWN + LANES + j], w[THROWN + 2 * LANES + j] = _ZERO, _ZERO, _ZERO
    spheres, boxes = int(around[SPHERES]), int(around[BOXES])
    under_arm, under_ground = _how_low(count, around, w)
    if under_arm > 0:
        _arm_rows(count, around, spheres, w)
    for k in range(boxes):
        at = STRIDE * (1 + spheres + k)
        hollow = around[at + WALL] > _ZERO
        # What is solid stands below the upper ground.
        if (hollow or under_ground > 0) and _near_box(count, around, at, w):
            if hollow:
                _inside_rows(count, around, at, w)
            _beside_rows(count, around, at, w)


@kernel
def _how_low(count: int, around: Any, w: Any) -> Any:
    """Fill MAP with the lanes' heights above the ground; how many the arm may hide, and are below the upper ground."""
    ux, uy, uz, up = around[UP], around[UP + 1], around[UP + 2], around[HEIGHT]
    under_arm, under_ground = np.int32(0), np.int32(0)
    for j in range(count):
        height = ux * w[_X + j] + uy * w[_Y + j] + uz * w[_Z + j] + up
        w[MAP + j] = height
        under_arm += np.int32(height < _UNDER_ARM)
        under_ground += np.int32(height < -_HALF * _SKIN)
    return under_arm, under_ground


@kernel
def _arm_rows(count: int, around: Any, spheres: int, w: Any) -> None:
    """Fill ARM_SHARE: how much of the hemisphere is behind spheres, of lanes at the heights MAP."""
    for k in range(1, 1 + spheres):
        cx, cy, cz, square = around[STRIDE * k], around[STRIDE * k + 1], around[STRIDE * k + 2], around[STRIDE * k + 3]
        for j in range(count):
            x, y, z = cx - w[_X + j], cy - w[_Y + j], cz - w[_Z + j]
            away = max(x * x + y * y + z * z, square)
            towards = max(x * w[_NX + j] + y * w[_NY + j] + z * w[_NZ + j], _ZERO)
            w[ARM_SHARE + j] += towards * square / (away * np.sqrt(away))
    for j in range(count):
        low = min(max((_UNDER_ARM - w[MAP + j]) / _FADING, _ZERO), _ONE)
        w[ARM_SHARE + j] = min(w[ARM_SHARE + j], _ONE) * low


@kernel
def _near_box(count: int, around: Any, at: int, w: Any) -> bool:
    """Fill MAP with the lanes' places in the frame of a box, metres; whether it is within reach of any."""
    ax, ay, az, a = around[at], around[at + 1], around[at + 2], around[at + 3]
    bx, by, bz, b = around[at + 4], around[at + 5], around[at + 6], around[at + 7]
    cx, cy, cz, c = around[at + 8], around[at + 9], around[at + 10], around[at + 11]
    top = around[at + TOP]
    width, depth = around[at + SIZE] + _REACH * top, around[at + SIZE + 1] + _REACH * top
    near = 0
    for j in range(count):
        x, y, z = w[_X + j], w[_Y + j], w[_Z + j]
        u, v, h = ax * x + ay * y + az * z + a, bx * x + by * y + bz * z + b, cx * x + cy * y + cz * z + c
        w[MAP + j], w[MAP + LANES + j], w[MAP + 2 * LANES + j] = u, v, h
        near += int((abs(u) < width) & (abs(v) < depth) & (h > -_F(4.0) * _SKIN) & (h < top - _SKIN))
    return near > 0


@kernel
def _inside_rows(count: int, around: Any, at: int, w: Any) -> None:
    """Fill DEPTHS, WITHIN and THROWN of the lanes in a box: as deep as a slot along and one across are together."""
    ax, ay, az, bx, by, bz = around[at], around[at + 1], around[at + 2], around[at + 4], around[at + 5], around[at + 6]
    wall = around[at + WALL]
    width, depth, top = around[at + SIZE] - wall, around[at + SIZE + 1] - wall, around[at + TOP]
    red, green, blue = around[at + INSIDE], around[at + INSIDE + 1], around[at + INSIDE + 2]
    for j in range(count):
        u, v, h = w[MAP + j], w[MAP + LANES + j], top - w[MAP + 2 * LANES + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        nu, nv = ax * nx + ay * ny + az * nz, bx * nx + by * ny + bz * nz
        inside = (abs(u) < width + _SKIN) & (abs(v) < depth + _SKIN) & (h > _SKIN) & (h < top)
        seen = _slot(width - u, width + u, h, nu) * _slot(depth - v, depth + v, h, nv)
        w[DEPTHS + j] = seen if inside else w[DEPTHS + j]
        w[WITHIN + j] = _ONE if inside else w[WITHIN + j]
        w[THROWN + j] = red if inside else w[THROWN + j]
        w[THROWN + LANES + j] = green if inside else w[THROWN + LANES + j]
        w[THROWN + 2 * LANES + j] = blue if inside else w[THROWN + 2 * LANES + j]


@inlined
def _slot(one: Any, other: Any, high: Any, facing: Any) -> Any:
    """The share of the sky seen from in a slot, from its floor to what faces `one` wall, of two so far away.

    That is the mean cosine of their heights for the floor, and 1 less the sine of its height for what faces a wall.
    """
    one, other = max(one, _ZERO), max(other, _ZERO)
    near = _ONE / np.sqrt(one * one + high * high)
    far = _ONE / np.sqrt(other * other + high * high)
    up = _HALF * (one * near + other * far)
    level = _ONE - high * (near if facing > _ZERO else far)
    return up + abs(facing) * (level - up)


@kernel
def _beside_rows(count: int, around: Any, at: int, w: Any) -> None:
    """Dim BESIDE, and add to THROWN, of the lanes around a box."""
    ax, ay, az, bx, by, bz = around[at], around[at + 1], around[at + 2], around[at + 4], around[at + 5], around[at + 6]
    width, depth, top = around[at + SIZE], around[at + SIZE + 1], around[at + TOP]
    far, reach = _REACH * top, _ONE / (_REACH * top)
    red, green, blue = around[at + OUTSIDE], around[at + OUTSIDE + 1], around[at + OUTSIDE + 2]
    for j in range(count):
        u, v, h = w[MAP + j], w[MAP + LANES + j], top - w[MAP + 2 * LANES + j]
        nx, ny, nz = w[_NX + j], w[_NY + j], w[_NZ + j]
        nu, nv = ax * nx + ay * ny + az * nz, bx * nx + by * ny + bz * nz
        nu, nv = nu if u < _ZERO else -nu, nv if v < _ZERO else -nv
        beside = (h > _SKIN) & (h < top + _F(4.0) * _SKIN) & (w[WITHIN + j] == _ZERO)
        beside &= (abs(u) < width + far) & (abs(v) < depth + far)
        hidden = _hidden(abs(u) - width, h, nu, depth, v, reach) + _hidden(abs(v) - depth, h, nv, width, u, reach)
        hidden = min(hidden, _ONE) if beside else _ZERO
        w[BESIDE + j] *= _ONE - hidden
        w[THROWN + j] += hidden * (red - w[THROWN + j])
        w[THROWN + LANES + j] += hidden * (green - w[THROWN + LANES + j])
        w[THROWN + 2 * LANES + j] += hidden * (blue - w[THROWN + 2 * LANES + j])


@inlined
def _hidden(away: Any, high: Any, facing: Any, half: Any, along: Any, reach: Any) -> Any:
    """What a wall hides that is 2 `half` long, from a place so far away from it and `along` from its middle."""
    outside = away > -_SKIN
    away = max(away, _F(1e-4))
    square = away * away
    share = _HALF * (_ONE - away / np.sqrt(square + high * high)) * (_ONE + facing)
    one, other = half - along, half + along
    ends = _HALF * (one / np.sqrt(one * one + square) + other / np.sqrt(other * other + square))
    share *= max(ends, _ZERO) * max(_ONE - away * reach, _ZERO)
    return share if outside else _ZERO
