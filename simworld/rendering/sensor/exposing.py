"""From a picture to what a colour sensor makes of its light, one colour at a time."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.sensor.bits import bits_at

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
TOGETHER = 3
"""Taps that are summed in one go over a row; their number is a multiple of it."""


@kernel
def expose(rgb: Any, color: int, linear: Any, vignetting: float, margin: Any, level: Any, out: Any) -> None:
    """Fill `out` (h + 2 m, w + 2 n), within its `margin` (m, n), with one colour's light of sRGB bytes `rgb`.

    Towards the corners some is lost. `level` (w,) is room.
    """
    height, width = rgb.shape[0], rgb.shape[1]
    loss = _F(4 * vignetting / (height * height + width * width))
    for i in range(height):
        source, row = rgb[i], out[margin[0] + i, margin[1] :]
        y = _F(i) + _HALF - _HALF * _F(height)
        for j in range(width):
            level[j] = linear[source[j, color]]
        for j in range(width):
            x = _F(j) + _HALF - _HALF * _F(width)
            row[j] = level[j] * (_ONE - loss * (x * x + y * y))


@kernel
def mirror(light: Any, margin: Any) -> None:
    """Fill the `margin` (m, n) of `light` (h + 2 m, w + 2 n) with what is mirrored in its borders."""
    top, left = margin[0], margin[1]
    height, width = light.shape[0] - 2 * top, light.shape[1] - 2 * left
    for i in range(height):
        row = light[top + i]
        for j in range(left):
            row[left - 1 - j] = row[left + _reflected(-1 - j, width)]
            row[left + width + j] = row[left + _reflected(width + j, width)]
    for i in range(top):
        for j in range(light.shape[1]):
            light[top - 1 - i, j] = light[top + _reflected(-1 - i, height), j]
            light[top + height + i, j] = light[top + _reflected(height + i, height), j]


@inlined
def _reflected(i: int, count: int) -> int:
    i %= 2 * count
    return i if i < count else 2 * count - 1 - i


@kernel
def convolve(light: Any, rows: Any, columns: Any, weights: Any, margin: Any, out: Any) -> None:
    """Fill `out`, within its `margin` (m, n), with sums of `light` `rows`, `columns` (t,) away, times `weights`."""
    top, left = margin[0], margin[1]
    width = light.shape[1] - 2 * left
    for i in range(top, light.shape[0] - top):
        row = out[i, left:]
        for k in range(0, weights.shape[0], TOGETHER):
            a, b = light[i + rows[k], left + columns[k] :], light[i + rows[k + 1], left + columns[k + 1] :]
            c = light[i + rows[k + 2], left + columns[k + 2] :]
            u, v, w = weights[k], weights[k + 1], weights[k + 2]
            if k == 0:
                for j in range(width):
                    row[j] = u * a[j] + v * b[j] + w * c[j]
            else:
                for j in range(width):
                    row[j] += u * a[j] + v * b[j] + w * c[j]


@kernel
def develop(
    light: Any,
    margin: Any,
    variances: Any,
    key: Any,
    first: int,
    normal: Any,
    gain: float,
    tone: Any,
    bits: Any,
    level: Any,
    out: Any,
) -> None:
    """Fill `out` (h, w) with bytes of `light` within its `margin`, amplified.

    Noise has `variances` that are at white, as light, and always; its bits are those from number `first` on of a `key`,
    and its values those of `normal`. `tone` has the bytes by the root of the light. `bits` and `level` (w,) are room.
    """
    height, width = out.shape
    shot, read, times = _F(variances[0]), _F(variances[1]), _F(gain)
    noisy = shot > _ZERO or read > _ZERO
    top, away = _F(tone.shape[0] - 1), np.uint32(20)
    for i in range(height):
        row = light[margin[0] + i, margin[1] :]
        start = np.uint32(first + i * width)
        for j in range(width):
            level[j] = row[j]
        if noisy:
            for j in range(width):
                bits[j] = bits_at(key[0], key[1], start + np.uint32(j)) >> away
            for j in range(width):
                level[j] = normal[bits[j]]
            for j in range(width):
                level[j] = row[j] + np.sqrt(shot * row[j] + read) * level[j]
        for j in range(width):
            bits[j] = np.uint32(np.sqrt(min(max(level[j] * times, _ZERO), _ONE)) * top + _HALF)
        for j in range(width):
            out[i, j] = tone[bits[j]]


@kernel
def take(
    rgb: Any,
    linear: Any,
    vignetting: float,
    blurs: Any,
    margin: Any,
    variances: Any,
    key: Any,
    normal: Any,
    gains: Any,
    tone: Any,
    light: Any,
    blurred: Any,
    bits: Any,
    level: Any,
    planes: Any,
) -> None:
    """Fill `planes` (3, h, w) with the bytes of a picture `rgb`, one colour after the other.

    `blurs` are rows, columns and weights (t,) of the taps of all blurs, and where in them each begins and ends
    (b + 1,); `light` and `blurred` (h + 2 m, w + 2 n) are room. For all else see `expose` and `develop`.
    """
    rows, columns, weights, ends = blurs
    for color in range(3):
        expose(rgb, color, linear, vignetting, margin, level, light)
        for k in range(ends.shape[0] - 1):
            begin, end = ends[k], ends[k + 1]
            mirror(light, margin)
            convolve(light, rows[begin:end], columns[begin:end], weights[begin:end], margin, blurred)
            light, blurred = blurred, light
        first = color * rgb.shape[0] * rgb.shape[1]
        develop(light, margin, variances, key, first, normal, gains[color], tone, bits, level, planes[color])


@kernel
def interleave(planes: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with the colours of `planes` (3, h, w)."""
    for i in range(out.shape[0]):
        red, green, blue, row = planes[0, i], planes[1, i], planes[2, i], out[i]
        for j in range(out.shape[1]):
            row[j, 0], row[j, 1], row[j, 2] = red[j], green[j], blue[j]
