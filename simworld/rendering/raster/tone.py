"""From radiance to the bytes of the picture: exposure, clipping, and the tone curve."""

from typing import Any

import numpy as np

from simworld.kernels import inlined
from simworld.rendering.raster.work import (
    CODE,
    LANES,
    OUT,
    PIXEL,
    TOTAL,
    WHERE,
)

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)


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
            k = np.uint64(channel * LANES + j)  # unsigned, as vector units are used only where no index may be negative
            value = min(max(w[np.uint64(OUT) + k] * gain, _ZERO), _ONE)
            w[np.uint64(OUT) + k] = value
            # Of degenerate triangles there may be numbers that are none, and would be looked up anywhere in memory.
            whole[np.uint64(CODE) + k] = min(max(np.int32(value * most + _HALF), np.int32(0)), last)


@inlined
def step_of(value: Any, tone: Any) -> Any:
    """The step of the tone curve for a linear value; what is brighter than white is white."""
    step = np.int32(min(max(value, _ZERO), _ONE) * _F(tone.shape[0] - 1) + _HALF)
    return min(max(step, 0), tone.shape[0] - 1)


@inlined
def add_codes(count: int, slot: int, weight: int, whole: Any) -> None:
    """Add CODE of the first `count` lanes to TOTAL, in the places of row `slot` and as often as row `weight` says."""
    for j in range(count):
        at, times = whole[slot + j], whole[weight + j]
        for channel in range(3):
            whole[TOTAL + channel * LANES + at] += times * whole[CODE + channel * LANES + j]


@inlined
def store_totals(count: int, factor: int, tone: Any, whole: Any, flat: Any) -> None:
    """Put the means over `factor` x `factor` samples of TOTAL, of `count` pixels, into a picture (h * w * 3,)."""
    share = _ONE / _F(factor * factor)
    for channel in range(3):
        for j in range(count):
            # Never half way between two steps but for an even number of samples, of which the share is exact.
            whole[CODE + channel * LANES + j] = np.int32(_F(whole[TOTAL + channel * LANES + j]) * share + _HALF)
    for j in range(count):
        whole[WHERE + j] = whole[PIXEL + j]
    store_rows(count, tone, whole, flat)
