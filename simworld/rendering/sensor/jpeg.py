"""What baseline JPEG loses of a picture (ITU-T T.81, JFIF), without the coding between, which loses nothing.

Colours are halved along both axes, and the tables are the standard's, scaled by quality as the Independent JPEG Group
does. Of exact operations, unlike decoders, which round each in their own way.
"""

from functools import lru_cache
from math import cos, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel
from simworld.rendering.sensor.room import Room

_F = np.float32
_ZERO, _HALF, _LAST = _F(0), _F(0.5), _F(255)
_MIDDLE = _F(128)
_BLOCK, _LANES = 8, 64
"""Samples along a side of a block, and in a row of the eight blocks that are transformed together."""
_ROOM = Room()
_C1, _C2, _C3, _C4, _C5, _C6, _C7 = (_F(0.5 * cos(k * pi / 16)) for k in range(1, 8))

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)


def compressed(planes: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture (h, w, 3) that JPEG of a quality from 1 to 100 gives back of its `planes` (3, h, w)."""
    _, height, width = planes.shape
    down, across = -(-height // 16) * _BLOCK, -(-width // (2 * _LANES)) * _LANES
    shapes = (2 * down, 2 * across), (2, down, across), (3, 2 * across), (_BLOCK * _LANES,)
    brightness, colors, room, block = _ROOM(*shapes)
    separate(planes, brightness, colors, room)
    quantize_blocks(brightness, _steps(_LUMINANCE, quality), block)
    for color in colors:
        quantize_blocks(color, _steps(_CHROMINANCE, quality), block)
    out = np.empty((height, width, 3), dtype=np.uint8)
    join(brightness, colors, room, out)
    return out


@lru_cache(maxsize=256)
def _steps(table: tuple[tuple[int, ...], ...], quality: int) -> NDArray[np.float32]:
    """The steps of a block's coefficients, and one over them (2, 512), as eight blocks lie beside each other."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps = np.clip((np.array(table) * scale + 50) // 100, 1, 255).reshape(-1, 1).repeat(_BLOCK, axis=1).ravel()
    return np.stack([steps, 1 / steps]).astype(np.float32)


@kernel
def separate(planes: Any, brightness: Any, colors: Any, room: Any) -> None:
    """Fill `brightness` (2 h, 2 w), about 0, and the `colors` (2, h, w), which are means of four, of a picture.

    What is beyond it is as at its borders. `room` is (3, 2 w).
    """
    height = planes.shape[1]
    for i in range(colors.shape[1]):
        room[:2] = _ZERO
        for half in range(2):
            at = min(2 * i + half, height - 1)
            _add_row(planes[0, at], planes[1, at], planes[2, at], brightness[2 * i + half], room[0], room[1])
        for k in range(2):
            row, out = room[k], colors[k, i]
            for j in range(out.shape[0]):
                out[j] = _F(0.25) * (row[2 * j] + row[2 * j + 1])


@inlined
def _add_row(r: Any, g: Any, b: Any, light: Any, blue: Any, red: Any) -> None:
    """Put the brightness of a row of a picture into `light`, and add its colours to `blue` and `red`."""
    width = r.shape[0]
    for j in range(width):
        light[j] = _F(0.299) * _F(r[j]) + _F(0.587) * _F(g[j]) + _F(0.114) * _F(b[j]) - _MIDDLE
    for j in range(width):
        blue[j] += _F(-0.168736) * _F(r[j]) - _F(0.331264) * _F(g[j]) + _HALF * _F(b[j])
    for j in range(width):
        red[j] += _HALF * _F(r[j]) - _F(0.418688) * _F(g[j]) - _F(0.081312) * _F(b[j])
    for j in range(width, light.shape[0]):
        light[j], blue[j], red[j] = light[width - 1], blue[width - 1], red[width - 1]


@kernel
def quantize_blocks(plane: Any, steps: Any, w: Any) -> None:
    """Round the cosine transforms of the blocks of 8 x 8 of a plane to `steps`; `w` (512,) is room.

    Eight blocks are transformed at once: sample k of row r of block b is at 64 r + 8 k + b.
    """
    step, inverse = steps[0], steps[1]
    for top in range(0, plane.shape[0], _BLOCK):
        for left in range(0, plane.shape[1], _LANES):
            for r in range(_BLOCK):
                _gather(plane[top + r, left:], w, r * _LANES)
            _forward(w, 0, _LANES, _LANES)
            for r in range(_BLOCK):
                _forward(w, r * _LANES, _BLOCK, _BLOCK)
            for j in range(_BLOCK * _LANES):
                w[j] = np.floor(w[j] * inverse[j] + _HALF) * step[j]
            for r in range(_BLOCK):
                _back(w, r * _LANES, _BLOCK, _BLOCK)
            _back(w, 0, _LANES, _LANES)
            for r in range(_BLOCK):
                _scatter(w, r * _LANES, plane[top + r, left:])


@inlined
def _gather(row: Any, w: Any, start: int) -> None:
    for k in range(_BLOCK):
        for b in range(_BLOCK):
            w[start + k * _BLOCK + b] = row[b * _BLOCK + k]


@inlined
def _scatter(w: Any, start: int, row: Any) -> None:
    for k in range(_BLOCK):
        for b in range(_BLOCK):
            row[b * _BLOCK + k] = w[start + k * _BLOCK + b]


@inlined
def _forward(w: Any, start: int, step: int, count: int) -> None:
    """Transform `count` columns of eight numbers that are a `step` apart, by cosines of unit length."""
    for j in range(start, start + count):
        a, b, c, d = w[j], w[j + step], w[j + 2 * step], w[j + 3 * step]
        e, f, g, h = w[j + 4 * step], w[j + 5 * step], w[j + 6 * step], w[j + 7 * step]
        a, b, c, d, e, f, g, h = a + h, b + g, c + f, d + e, a - h, b - g, c - f, d - e
        outer, inner, one, other = a + d, b + c, a - d, b - c
        w[j], w[j + 4 * step] = _C4 * (outer + inner), _C4 * (outer - inner)
        w[j + 2 * step], w[j + 6 * step] = _C2 * one + _C6 * other, _C6 * one - _C2 * other
        w[j + step] = (_C1 * e + _C3 * f) + (_C5 * g + _C7 * h)
        w[j + 3 * step] = (_C3 * e - _C7 * f) - (_C1 * g + _C5 * h)
        w[j + 5 * step] = (_C5 * e - _C1 * f) + (_C7 * g + _C3 * h)
        w[j + 7 * step] = (_C7 * e - _C5 * f) + (_C3 * g - _C1 * h)


@inlined
def _back(w: Any, start: int, step: int, count: int) -> None:
    """Undo `_forward`."""
    for j in range(start, start + count):
        outer, inner = _C4 * (w[j] + w[j + 4 * step]), _C4 * (w[j] - w[j + 4 * step])
        one = _C2 * w[j + 2 * step] + _C6 * w[j + 6 * step]
        other = _C6 * w[j + 2 * step] - _C2 * w[j + 6 * step]
        e, f, g, h = w[j + step], w[j + 3 * step], w[j + 5 * step], w[j + 7 * step]
        a, b, c, d = outer + one, inner + other, inner - other, outer - one
        e, f, g, h = (
            (_C1 * e + _C3 * f) + (_C5 * g + _C7 * h),
            (_C3 * e - _C7 * f) - (_C1 * g + _C5 * h),
            (_C5 * e - _C1 * f) + (_C7 * g + _C3 * h),
            (_C7 * e - _C5 * f) + (_C3 * g - _C1 * h),
        )
        w[j], w[j + step], w[j + 2 * step], w[j + 3 * step] = a + e, b + f, c + g, d + h
        w[j + 4 * step], w[j + 5 * step], w[j + 6 * step], w[j + 7 * step] = d - h, c - g, b - f, a - e


@kernel
def join(brightness: Any, colors: Any, room: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with bytes; between the colours' means it is linear. `room` is (3, 2 w)."""
    height, width = out.shape[0], out.shape[1]
    down, across = (height + 1) // 2, (width + 1) // 2
    near, far = _F(0.75), _F(0.25)
    for i in range(height):
        at = i // 2
        beside = min(max(at - 1 + 2 * (i & 1), 0), down - 1)
        for k in range(2):
            this, other, full, mixed = colors[k, at], colors[k, beside], room[k], room[2]
            for j in range(across):
                mixed[j] = near * this[j] + far * other[j]
            full[0], full[2 * across - 1] = mixed[0], mixed[across - 1]
            for j in range(across - 1):
                full[2 * j + 1] = near * mixed[j] + far * mixed[j + 1]
                full[2 * j + 2] = far * mixed[j] + near * mixed[j + 1]
        light, blue, red, row = brightness[i], room[0], room[1], out[i]
        for j in range(width):
            y = light[j] + _MIDDLE
            light[j] = _cut(y - _F(0.344136) * blue[j] - _F(0.714136) * red[j])
            red[j] = _cut(y + _F(1.402) * red[j])
            blue[j] = _cut(y + _F(1.772) * blue[j])
        for j in range(width):
            row[j, 0], row[j, 1], row[j, 2] = np.uint8(red[j]), np.uint8(light[j]), np.uint8(blue[j])


@inlined
def _cut(value: Any) -> Any:
    return min(max(value, _ZERO), _LAST) + _HALF
