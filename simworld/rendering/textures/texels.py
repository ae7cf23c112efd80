"""What patterns are made of: square tiles of numbers without seams, from seeds.

Only + - * /, square roots, comparisons and integer hashes are used, which IEEE 754 rounds alike everywhere, so that a
seed gives the same bits on every machine. Noise is compiled; the rest are a few NumPy operations.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import jit

SIDE = 256
"""Texels along a side of a pattern, a power of two."""

Float = NDArray[np.float32]
F32 = np.float32
ZERO, HALF, ONE, TWO = F32(0), F32(0.5), F32(1), F32(2)
TEXEL = F32(1 / SIDE)
LINE = np.arange(SIDE, dtype=np.int32)
SHARES = LINE.astype(F32) * TEXEL
_FINEST = SIDE // 4
"""Most cells of noise along a side: of smaller ones a texel would be a random sample."""


@jit
def hashed(h: int) -> int:
    """32 random bits from 32 others: Murmur3's finalizer (Appleby 2011)."""
    h &= 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return h ^ (h >> 16)


@jit
def unit(h: int) -> Any:
    """A float32 in 0..1, 1 excluded, from 32 random bits."""
    return F32(h >> 8) * F32(2.0**-24)


@jit
def direction(h: int) -> Any:
    """A unit vector from 32 random bits, by the rational points of the circle."""
    t = TWO * unit(h) - ONE
    d = (ONE if h & 1 else -ONE) / (ONE + t * t)
    return (ONE - t * t) * d, TWO * t * d


@jit
def quintic(x: Any) -> Any:
    """Perlin's step from 0 to 1 (2002)."""
    return x * x * x * (x * (x * F32(6) - F32(15)) + F32(10))


@jit
def add_noise(out: Any, rows: int, columns: int, amplitude: Any, seed: int) -> None:
    """Add Perlin's gradient noise of rows x columns cells a tile, within about +-0.7 times the amplitude.

    What does not depend on the column is interpolated once a row; between two lines of the lattice, noise is linear
    in x but for the step from left to right.
    """
    gx, gy = np.empty((rows, columns + 1), dtype=F32), np.empty((rows, columns + 1), dtype=F32)
    for j in range(rows):
        for i in range(columns):
            gx[j, i], gy[j, i] = direction(hashed(seed + (j << 16) + i))
        gx[j, columns], gy[j, columns] = gx[j, 0], gy[j, 0]
    # Unsigned indices need no check for negative ones, so that the inner loop uses vector units.
    end, dx, fade = np.empty(columns, dtype=np.uint64), np.empty(SIDE, dtype=F32), np.empty(SIDE, dtype=F32)
    for c in range(SIDE):
        x = (F32(c) + HALF) * F32(columns) * TEXEL
        end[int(x)] = c + 1
        dx[c] = x - np.floor(x)
        fade[c] = quintic(dx[c])
    slope, rest = np.empty(columns + 1, dtype=F32), np.empty(columns + 1, dtype=F32)
    for r in range(SIDE):
        y = (F32(r) + HALF) * F32(rows) * TEXEL
        j = int(y)
        k = j + 1 if j + 1 < rows else 0
        y -= F32(j)
        f = quintic(y)
        for i in range(columns + 1):
            slope[i] = amplitude * (gx[j, i] + f * (gx[k, i] - gx[j, i]))
            rest[i] = amplitude * (gy[j, i] * y + f * (gy[k, i] * (y - ONE) - gy[j, i] * y))
        row, start = out[r], np.uint64(0)
        for i in range(columns):
            left, right, at_left, at_right = slope[i], slope[i + 1], rest[i], rest[i + 1] - slope[i + 1]
            for c in range(start, end[i]):
                a = left * dx[c] + at_left
                b = right * dx[c] + at_right
                row[c] += a + fade[c] * (b - a)
            start = end[i]


@jit
def smooth(x: Any) -> Any:
    """Hermite's step from 0 to 1."""
    x = min(max(x, ZERO), ONE)
    return x * x * (F32(3) - TWO * x)


@jit
def smooth_all(values: Any, out: Any) -> None:
    """Fill `out` with the steps of values."""
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            out[r, c] = smooth(values[r, c])


@jit
def quantize(values: Any, out: Any) -> None:
    """Fill `out` with values in 0..1, beyond which they are cut off, as 0..65535."""
    for r in range(SIDE):
        for c in range(SIDE):
            out[r, c] = np.uint16(min(max(values[r, c], ZERO), ONE) * F32(65535) + HALF)


class TileDraws:
    """The random parameters of a pattern, one after the other."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = int(hashed(seed)), 0

    def bits(self) -> int:
        self._count += 1
        return int(hashed(self._seed + self._count * 0x9E3779B9))

    def whole(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return low + (self.bits() * (high - low + 1) >> 32)

    def real(self, low: float, high: float) -> np.float32:
        return F32(low + (high - low) * self.bits() / 2**32)


def clip(x: Float) -> Float:
    y = np.maximum(x, ZERO)
    return np.minimum(y, ONE, out=y)


def smoothed(x: Float) -> Float:
    """Hermite's step from 0 to 1."""
    y = np.empty_like(x)
    smooth_all(x, y)
    return y


def wave(x: Float) -> Float:
    """Triangle wave of period 1: 1 at whole numbers, 0 halfway."""
    x = x - np.floor(x)
    x *= 2
    x -= 1
    return np.abs(x, out=x)


def steps(axis: tuple[int, int], count: int) -> NDArray[np.uint8]:
    """How far each texel (SIDE, SIDE) is in one of `count` periods along an axis, in texels."""
    # Sums of 8 bits begin again after SIDE.
    right, down = ((part * count * LINE).astype(np.uint8) for part in axis)
    return right + down[:, None]


def fractal(rows: int, columns: int, octaves: int, seed: int) -> Float:
    """Noise (SIDE, SIDE) of several octaves, each half the size and strength of the one before."""
    out = np.zeros((SIDE, SIDE), dtype=F32)
    for k in range(octaves):
        add_noise(out, min(rows << k, _FINEST), min(columns << k, _FINEST), F32(0.5**k), int(hashed(seed + k)))
    return out
