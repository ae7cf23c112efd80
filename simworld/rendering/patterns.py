"""The compiled generators of procedural patterns: numbers in 0..1 on a square tile without seams.

They use + - * /, square roots, comparisons and integer hashes only, which IEEE 754 rounds alike everywhere, so that a
seed gives the same bits on every machine. Noise is Perlin's (2002), evaluated a row at a time: what does not depend on
the column is interpolated once a row.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.rendering.kernels import jit
from simworld.scene.material import Family

SIDE = 256
"""Texels along a side of a pattern, a power of two."""

_F = np.float32
_ZERO, _HALF, _ONE, _TWO, _THREE = _F(0), _F(0.5), _F(1), _F(2), _F(3)
_TEXEL = _F(1 / SIDE)
_AXES = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2)])
_HEXAGON = np.array(
    [(1, 0), (0.5, 0.8660254), (-0.5, 0.8660254), (-1, 0), (-0.5, -0.8660254), (0.5, -0.8660254)], dtype=_F
)


def pattern(family: Family, seed: int) -> NDArray[np.uint16]:
    """The pattern (SIDE, SIDE) of a family and seed, its 0..1 as 0..65535."""
    values = np.zeros((SIDE, SIDE), dtype=_F)
    _FAMILIES[family](values, seed)
    texels = np.empty((SIDE, SIDE), dtype=np.uint16)
    quantize(values, texels)
    return texels


@jit
def hashed(seed: int, key: int) -> int:
    """32 random bits of two integers: Murmur3's finalizer (Appleby 2011), with Weyl's step between the keys."""
    h = (seed + (key + 1) * 0x9E3779B9) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return h ^ (h >> 16)


@jit
def pick(seed: int, key: int, low: int, high: int) -> int:
    """A random integer from `low` to `high`, both included."""
    return low + ((hashed(seed, key) * (high - low + 1)) >> 32)


@jit
def between(seed: int, key: int, low: float, high: float) -> Any:
    """A random float32 from `low` to `high`."""
    return _F(low) + _F(high - low) * (_F(hashed(seed, key) >> 8) * _F(2.0**-24))


@jit
def direction(seed: int, key: int) -> Any:
    """A random unit vector, by the rational points of the circle."""
    t = between(seed, key, -1.0, 1.0)
    s = _ONE if hashed(seed, key) & 1 else -_ONE
    d = s / (_ONE + t * t)
    return (_ONE - t * t) * d, _TWO * t * d


@jit
def clip(x: Any) -> Any:
    """The nearest number in 0..1."""
    return min(max(x, _ZERO), _ONE)


@jit
def smooth(x: Any) -> Any:
    """Hermite's step from 0 to 1."""
    x = clip(x)
    return x * x * (_THREE - _TWO * x)


@jit
def wave(x: Any) -> Any:
    """Triangle wave of period 1: 1 at whole numbers, 0 halfway."""
    return abs(_TWO * (x - np.floor(x)) - _ONE)


@jit
def add_noise(out: Any, rows: int, columns: int, amplitude: Any, seed: int) -> None:
    """Add gradient noise of rows x columns cells a tile, within about +-0.7 times the amplitude."""
    gx, gy = np.empty((rows, columns + 1), dtype=_F), np.empty((rows, columns + 1), dtype=_F)
    for j in range(rows):
        for i in range(columns):
            gx[j, i], gy[j, i] = direction(seed, j * columns + i)
        gx[j, columns], gy[j, columns] = gx[j, 0], gy[j, 0]
    cell, dx, fade = np.empty(SIDE, dtype=np.int64), np.empty(SIDE, dtype=_F), np.empty(SIDE, dtype=_F)
    for c in range(SIDE):
        x = (_F(c) + _HALF) * _F(columns) * _TEXEL
        cell[c] = int(x)
        x -= _F(cell[c])
        dx[c], fade[c] = x, x * x * x * (x * (x * _F(6) - _F(15)) + _F(10))
    slope, rest = np.empty(columns + 1, dtype=_F), np.empty(columns + 1, dtype=_F)
    for r in range(SIDE):
        y = (_F(r) + _HALF) * _F(rows) * _TEXEL
        j = int(y)
        k = j + 1 if j + 1 < rows else 0
        y -= _F(j)
        f = y * y * y * (y * (y * _F(6) - _F(15)) + _F(10))
        for i in range(columns + 1):
            slope[i] = amplitude * (gx[j, i] + f * (gx[k, i] - gx[j, i]))
            rest[i] = amplitude * (gy[j, i] * y + f * (gy[k, i] * (y - _ONE) - gy[j, i] * y))
        row = out[r]
        for c in range(SIDE):
            i = cell[c]
            a = slope[i] * dx[c] + rest[i]
            b = slope[i + 1] * (dx[c] - _ONE) + rest[i + 1]
            row[c] += a + fade[c] * (b - a)


@jit
def fractal(rows: int, columns: int, octaves: int, seed: int) -> Any:
    """Noise (SIDE, SIDE) of several octaves, each half the size and strength of the one before."""
    out = np.zeros((SIDE, SIDE), dtype=_F)
    amplitude = _ONE
    for k in range(octaves):
        add_noise(out, min(rows << k, SIDE), min(columns << k, SIDE), amplitude, hashed(seed, k))
        amplitude *= _HALF
    return out


@jit
def checker(out: Any, seed: int) -> None:
    """Squares, an even number a side."""
    count = 2 * pick(seed, 0, 1, 4)
    x0, y0 = pick(seed, 1, 0, SIDE - 1), pick(seed, 2, 0, SIDE - 1)
    edge = np.empty(SIDE, dtype=_F)
    for c in range(SIDE):
        # A square wave's average over the texel, -1..1: half a triangle wave's height at its zeros, cut off.
        x = (_F(c) + _HALF) * _F(count // 2) * _TEXEL
        distance = (wave(x + _F(0.25)) - _HALF) * _F(SIDE // 2) / _F(count // 2)
        edge[c] = _TWO * clip(distance * _TWO * _HALF + _HALF) - _ONE
    for r in range(SIDE):
        for c in range(SIDE):
            out[r, c] = _HALF + _HALF * edge[(r + y0) % SIDE] * edge[(c + x0) % SIDE]


@jit
def stripes(out: Any, seed: int) -> None:
    """Bands along an axis or a diagonal, some with a thin band between two."""
    axis = pick(seed, 0, 0, 3)
    a, b = _AXES[axis]
    count = pick(seed, 1, 2, 10 if axis < 2 else 6)
    texels = _F(SIDE) / (_F(count) * np.sqrt(_F(a * a + b * b)))
    half = between(seed, 2, 0.15, 0.3)
    thin = between(seed, 3, 0.02, 0.06) if pick(seed, 4, 0, 1) else -_ONE
    tone = between(seed, 5, 0.5, 1.0)
    shift = between(seed, 6, 0.0, 1.0)
    for r in range(SIDE):
        for c in range(SIDE):
            x = _F((count * (a * c + b * r)) % SIDE) * _TEXEL + shift
            d = _HALF * wave(x)
            band = clip((half - d) * texels + _HALF)
            between_two = clip((thin - (_HALF - d)) * texels + _HALF)
            out[r, c] = max(band, between_two * tone)


@jit
def noise(out: Any, seed: int) -> None:
    """Clouds, from soft to blotches."""
    cells = pick(seed, 0, 2, 7)
    field = fractal(cells, cells, pick(seed, 1, 3, 6), hashed(seed, 2))
    contrast = between(seed, 3, 0.8, 2.2)
    for r in range(SIDE):
        for c in range(SIDE):
            out[r, c] = smooth(_HALF + contrast * field[r, c])


@jit
def gradient(out: Any, seed: int) -> None:
    """A soft ramp there and back, bent to one side by Schlick's bias (1994)."""
    a, b = _AXES[pick(seed, 0, 0, 7)]
    shift = between(seed, 1, 0.0, 1.0)
    bend = _ONE / between(seed, 2, 0.35, 0.65) - _TWO
    for r in range(SIDE):
        for c in range(SIDE):
            t = smooth(wave(_F((a * c + b * r) % SIDE) * _TEXEL + shift))
            out[r, c] = t / (bend * (_ONE - t) + _ONE)


@jit
def wood(out: Any, seed: int) -> None:
    """Boards side by side: rings cut lengthwise, bent by slow noise, with fibres."""
    boards = pick(seed, 0, 1, 4)
    rings = _F(pick(seed, 1, 4, 9)) * _TEXEL
    swing = between(seed, 2, 2.0, 4.5)
    figure = fractal(1, pick(seed, 3, 2, 3), 3, hashed(seed, 4))
    fibres = fractal(3, 48, 3, hashed(seed, 5))
    turned = pick(seed, 6, 0, 1)
    for c in range(SIDE):
        place = _F(c * boards % SIDE) / _F(boards)
        board = c * boards // SIDE
        shift = pick(seed, 8 + board, 0, SIDE - 1)
        tone = between(seed, 16 + board, -0.16, 0.16) if boards > 1 else _ZERO
        joint = _ONE if boards == 1 else clip(place * _F(0.4) + _F(0.2))
        for r in range(SIDE):
            k = (r + shift) % SIDE
            x = rings * _F(c) + swing * figure[k, c]
            x -= np.floor(x)
            ring = smooth(x / _F(0.8)) * smooth((_ONE - x) / _F(0.2))
            value = joint * clip(_F(0.2) + tone + _F(0.6) * ring + _F(0.45) * fibres[k, c])
            if turned:
                out[c, r] = value
            else:
                out[r, c] = value


@jit
def marble(out: Any, seed: int) -> None:
    """Bands stirred by turbulence, crossed by thin veins."""
    a, b = _AXES[pick(seed, 0, 0, 3)]
    bands = pick(seed, 1, 1, 3)
    cells = pick(seed, 2, 2, 4)
    body = fractal(cells, cells, 6, hashed(seed, 3))
    cracks = fractal(cells, cells, 5, hashed(seed, 4))
    stir = between(seed, 5, 0.7, 1.6)
    width = between(seed, 6, 5.0, 10.0)
    strength = between(seed, 7, 0.4, 0.8)
    for r in range(SIDE):
        for c in range(SIDE):
            t = wave(_F((bands * (a * c + b * r)) % SIDE) * _TEXEL + stir * body[r, c])
            vein = clip(_ONE - width * abs(cracks[r, c] + _F(0.3) * body[r, c]))
            out[r, c] = clip(smooth(t) * (_ONE - strength * vein * vein))


@jit
def fleck(out: Any, cell: Any, cell_x: int, cell_y: int, seed: int, round_ones: int) -> None:
    """Draw one dot or hexagonal chip over what there is, somewhere in its cell of `cell` texels."""
    x0 = (_F(cell_x) + between(seed, 0, 0.0, 1.0)) * cell
    y0 = (_F(cell_y) + between(seed, 1, 0.0, 1.0)) * cell
    radius = cell * between(seed, 2, 0.25, 0.7)
    tone = between(seed, 3, 0.45, 1.0)
    cos, sin = direction(seed, 4)
    sides = np.empty((6, 3), dtype=_F)
    for k in range(6):
        hx, hy = _HEXAGON[k]
        sides[k, 0], sides[k, 1] = cos * hx - sin * hy, sin * hx + cos * hy
        sides[k, 2] = radius * between(seed, 5 + k, 0.5, 1.0) + _HALF
    reach = int(radius * _F(1.3)) + 2
    for r in range(int(y0) - reach, int(y0) + reach + 1):
        dy = _F(r) + _HALF - y0
        row = out[r % SIDE]
        for c in range(int(x0) - reach, int(x0) + reach + 1):
            dx = _F(c) + _HALF - x0
            inside = radius + _HALF - np.sqrt(dx * dx + dy * dy) if round_ones else _ONE
            if not round_ones:
                for k in range(6):
                    inside = min(inside, sides[k, 2] - dx * sides[k, 0] - dy * sides[k, 1])
            row[c % SIDE] += clip(inside) * (tone - row[c % SIDE])


@jit
def speckle(out: Any, seed: int) -> None:
    """Flecks of two sizes strewn over a ground, like terrazzo, or round dots."""
    coarse = pick(seed, 0, 5, 12)
    round_ones = pick(seed, 1, 0, 2) == 0
    ground = between(seed, 2, 0.0, 0.12)
    out[:] = ground
    for scale in range(2):
        cells = coarse * (3 - 2 * scale)
        for j in range(cells):
            for i in range(cells):
                own = hashed(hashed(seed, 3 + scale), j * cells + i)
                fleck(out, _F(SIDE) / _F(cells), i, j, own, round_ones)


@jit
def quantize(values: Any, out: Any) -> None:
    """0..1 as the nearest of 0..65535."""
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            out[r, c] = np.uint16(clip(values[r, c]) * _F(65535) + _HALF)


_FAMILIES: dict[str, Callable[[Any, int], None]] = {
    "checker": checker,
    "stripes": stripes,
    "noise": noise,
    "gradient": gradient,
    "wood": wood,
    "marble": marble,
    "speckle": speckle,
}
