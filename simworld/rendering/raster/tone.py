"""From radiance to the bytes of the picture: exposure, clipping, and the tone curve."""

from typing import Any

import numpy as np

from simworld.kernels import inlined
from simworld.rendering.raster.work import (
    CODE,
    LANES,
    OUT,
    WHERE,
)

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)


@inlined
def store_block(
    count: int, gain: Any, whole: Any, width: int, factor: int, total: Any, tone: Any, w: Any, flat: Any
) -> None:
    """Put the first `count` lanes of OUT into their samples."""
    encode_rows(count, gain, tone, w, whole)
    if factor == 1:
        store_rows(count, tone, whole, flat)
        return
    for j in range(count):
        row, column = whole[WHERE + j] // width // factor, whole[WHERE + j] % width // factor
        for channel in range(3):
            total[row, column, channel] += w[OUT + channel * LANES + j]


@inlined
def store_rows(count: int, tone: Any, whole: Any, flat: Any) -> None:
    """Put the bytes of CODE into the pixels WHERE of the picture `flat` (h * w * 3,)."""
    for j in range(count):
        k, one, two = np.uint64(3 * whole[WHERE + j]), np.uint64(1), np.uint64(2)
        flat[k] = tone[np.uint32(whole[CODE + j])]
        flat[k + one] = tone[np.uint32(whole[CODE + LANES + j])]
        flat[k + two] = tone[np.uint32(whole[CODE + 2 * LANES + j])]


@inlined
def encode_rows(count: int, gain: Any, tone: Any, w: Any, whole: Any) -> None:
    """Expose OUT, clip it to 0..1, and fill CODE with its steps of the tone curve."""
    most, last = _F(tone.shape[0] - 1), np.int32(tone.shape[0] - 1)
    for channel in range(3):
        for j in range(count):
            value = min(max(w[OUT + channel * LANES + j] * gain, _ZERO), _ONE)
            w[OUT + channel * LANES + j] = value
            # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
            whole[CODE + channel * LANES + j] = min(max(np.int32(value * most + _HALF), 0), last)


@inlined
def store_sample(red: Any, green: Any, blue: Any, i: int, j: int, factor: int, total: Any, tone: Any, rgb: Any) -> None:
    """Encode a sample into its pixel, or add it to the pixel's total."""
    if factor == 1:
        rgb[i, j, 0], rgb[i, j, 1], rgb[i, j, 2] = encoded(red, tone), encoded(green, tone), encoded(blue, tone)
    else:
        row, column = i // factor, j // factor
        total[row, column, 0] += min(red, _ONE)
        total[row, column, 1] += min(green, _ONE)
        total[row, column, 2] += min(blue, _ONE)


@inlined
def encoded(value: Any, tone: Any) -> Any:
    """The byte of a linear value; what is brighter than white is white."""
    step = np.int32(min(max(value, _ZERO), _ONE) * _F(tone.shape[0] - 1) + _HALF)
    return tone[np.uint32(min(max(step, 0), tone.shape[0] - 1))]


@inlined
def average(total: Any, factor: int, tone: Any, rgb: Any) -> None:
    """Encode the means of `factor` x `factor` samples, whose sums are `total` (h, w, 3) or empty, into `rgb`."""
    weight = _ONE / _F(factor * factor)
    for i in range(total.shape[0]):
        for j in range(total.shape[1]):
            for channel in range(3):
                rgb[i, j, channel] = encoded(total[i, j, channel] * weight, tone)
