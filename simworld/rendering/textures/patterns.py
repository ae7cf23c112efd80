"""Procedural patterns: numbers in 0..1 on a square tile without seams, from a family and a seed.

They use + - * /, square roots, comparisons and integer hashes only, which IEEE 754 rounds alike everywhere, so that a
seed gives the same bits on every machine. Noise and flecks are compiled; the rest are a few NumPy operations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import jit
from simworld.scene.material import Family

SIDE = 256
"""Texels along a side of a pattern, a power of two."""

Float = NDArray[np.float32]
_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0), _F(0.5), _F(1), _F(2)
_TEXEL = _F(1 / SIDE)
_LINE = np.arange(SIDE, dtype=np.int32)
_SHARES = _LINE.astype(_F) * _TEXEL
_AXES = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))
_FINEST = SIDE // 4
"""Most cells of noise along a side: of smaller ones a texel would be a random sample."""
_SIN_60 = 0.8660254
_HEXAGON = np.array([(1, 0), (0.5, _SIN_60), (-0.5, _SIN_60), (-1, 0), (-0.5, -_SIN_60), (0.5, -_SIN_60)], dtype=_F)


def pattern(family: Family, seed: int) -> NDArray[np.uint16]:
    """The pattern (SIDE, SIDE) of a family and seed, its 0..1 as 0..65535."""
    made = np.empty((SIDE, SIDE), dtype=np.uint16)
    quantize(np.ascontiguousarray(_FAMILIES[family](_Draws(seed))), made)
    return made


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
    return _F(h >> 8) * _F(2.0**-24)


@jit
def direction(h: int) -> Any:
    """A unit vector from 32 random bits, by the rational points of the circle."""
    t = _TWO * unit(h) - _ONE
    d = (_ONE if h & 1 else -_ONE) / (_ONE + t * t)
    return (_ONE - t * t) * d, _TWO * t * d


@jit
def quintic(x: Any) -> Any:
    """Perlin's step from 0 to 1 (2002)."""
    return x * x * x * (x * (x * _F(6) - _F(15)) + _F(10))


@jit
def add_noise(out: Any, rows: int, columns: int, amplitude: Any, seed: int) -> None:
    """Add Perlin's gradient noise of rows x columns cells a tile, within about +-0.7 times the amplitude.

    What does not depend on the column is interpolated once a row; between two lines of the lattice, noise is linear
    in x but for the step from left to right.
    """
    gx, gy = np.empty((rows, columns + 1), dtype=_F), np.empty((rows, columns + 1), dtype=_F)
    for j in range(rows):
        for i in range(columns):
            gx[j, i], gy[j, i] = direction(hashed(seed + (j << 16) + i))
        gx[j, columns], gy[j, columns] = gx[j, 0], gy[j, 0]
    # Unsigned indices need no check for negative ones, so that the inner loop uses vector units.
    end, dx, fade = np.empty(columns, dtype=np.uint64), np.empty(SIDE, dtype=_F), np.empty(SIDE, dtype=_F)
    for c in range(SIDE):
        x = (_F(c) + _HALF) * _F(columns) * _TEXEL
        end[int(x)] = c + 1
        dx[c] = x - np.floor(x)
        fade[c] = quintic(dx[c])
    slope, rest = np.empty(columns + 1, dtype=_F), np.empty(columns + 1, dtype=_F)
    for r in range(SIDE):
        y = (_F(r) + _HALF) * _F(rows) * _TEXEL
        j = int(y)
        k = j + 1 if j + 1 < rows else 0
        y -= _F(j)
        f = quintic(y)
        for i in range(columns + 1):
            slope[i] = amplitude * (gx[j, i] + f * (gx[k, i] - gx[j, i]))
            rest[i] = amplitude * (gy[j, i] * y + f * (gy[k, i] * (y - _ONE) - gy[j, i] * y))
        row, start = out[r], np.uint64(0)
        for i in range(columns):
            left, right, at_left, at_right = slope[i], slope[i + 1], rest[i], rest[i + 1] - slope[i + 1]
            for c in range(start, end[i]):
                a = left * dx[c] + at_left
                b = right * dx[c] + at_right
                row[c] += a + fade[c] * (b - a)
            start = end[i]


@jit
def add_flecks(out: Any, cells: int, seed: int, dots: Any) -> None:
    """Draw a fleck at random in each of cells x cells squares, over what there is: dots, or hexagonal chips."""
    cell = _F(SIDE) / _F(cells)
    sides = np.empty((6, 3), dtype=_F)
    for n in range(cells * cells):
        h = hashed(seed + n)
        x0 = (_F(n % cells) + unit(hashed(h + 1))) * cell
        y0 = (_F(n // cells) + unit(hashed(h + 2))) * cell
        radius = cell * (_F(0.2) + _F(0.35) * unit(hashed(h + 3)))
        tone = _F(0.45) + _F(0.55) * unit(hashed(h + 4))
        cos, sin = direction(hashed(h + 5))
        for k in range(6):
            hx, hy = _HEXAGON[k, 0], _HEXAGON[k, 1]
            sides[k, 0], sides[k, 1] = cos * hx - sin * hy, sin * hx + cos * hy
            sides[k, 2] = radius * (_HALF + _HALF * unit(hashed(h + 6 + k))) + _HALF
        reach = int(radius * _F(1.2)) + 2
        for r in range(int(y0) - reach, int(y0) + reach + 1):
            row, dy = out[r & (SIDE - 1)], _F(r) + _HALF - y0
            for c in range(int(x0) - reach, int(x0) + reach + 1):
                dx = _F(c) + _HALF - x0
                inside = _ONE
                if dots:
                    inside = min(inside, radius + _HALF - np.sqrt(dx * dx + dy * dy))
                else:
                    for k in range(6):
                        inside = min(inside, sides[k, 2] - dx * sides[k, 0] - dy * sides[k, 1])
                if inside > _ZERO:
                    row[c & (SIDE - 1)] += inside * (tone - row[c & (SIDE - 1)])


@jit
def fill_board(figure: Any, fibres: Any, along: int, ring: Any, tone: Any, first: int, end: int, out: Any) -> None:
    """Fill the columns from `first` to `end` with wood of a figure and fibres that are `along` texels further up."""
    for r in range(SIDE):
        above = (r - along) & (SIDE - 1)
        for c in range(first, end):
            x = figure[above, c] + ring
            x -= np.floor(x)
            rings = smooth(x * _F(1.25)) * smooth((_ONE - x) * _F(5))
            out[r, c] = min(max(fibres[above, c] + tone + _F(0.55) * rings, _ZERO), _ONE)


@jit
def smooth(x: Any) -> Any:
    """Hermite's step from 0 to 1."""
    x = min(max(x, _ZERO), _ONE)
    return x * x * (_F(3) - _TWO * x)


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
            out[r, c] = np.uint16(min(max(values[r, c], _ZERO), _ONE) * _F(65535) + _HALF)


class _Draws:
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
        return _F(low + (high - low) * self.bits() / 2**32)


def _clip(x: Float) -> Float:
    y = np.maximum(x, _ZERO)
    return np.minimum(y, _ONE, out=y)


def _smooth(x: Float) -> Float:
    """Hermite's step from 0 to 1."""
    y = np.empty_like(x)
    smooth_all(x, y)
    return y


def _wave(x: Float) -> Float:
    """Triangle wave of period 1: 1 at whole numbers, 0 halfway."""
    x = x - np.floor(x)
    x *= 2
    x -= 1
    return np.abs(x, out=x)


def _steps(axis: tuple[int, int], count: int) -> NDArray[np.uint8]:
    """How far each texel (SIDE, SIDE) is in one of `count` periods along an axis, in texels."""
    # Sums of 8 bits begin again after SIDE.
    right, down = ((part * count * _LINE).astype(np.uint8) for part in axis)
    return right + down[:, None]


def _fractal(rows: int, columns: int, octaves: int, seed: int) -> Float:
    """Noise (SIDE, SIDE) of several octaves, each half the size and strength of the one before."""
    out = np.zeros((SIDE, SIDE), dtype=_F)
    for k in range(octaves):
        add_noise(out, min(rows << k, _FINEST), min(columns << k, _FINEST), _F(0.5**k), int(hashed(seed + k)))
    return out


def _checker(draws: _Draws) -> Float:
    """Squares, an even number a side."""
    count = 2 * draws.whole(1, 4)
    # A square wave's mean over each texel: a triangle wave that is a texel steep at its zeros, cut off.
    wave = _wave((_LINE.astype(_F) + _HALF) * (_TEXEL * count / 2) + _F(0.25))
    edge = 2 * _clip((wave - _HALF) * _F(SIDE / count) + _HALF) - 1
    return _HALF + _HALF * np.roll(edge, draws.whole(0, SIDE - 1)) * np.roll(edge, draws.whole(0, SIDE - 1))[:, None]


def _stripes(draws: _Draws) -> Float:
    """Bands along an axis or a diagonal, half of them with a thin band between two."""
    axis = _AXES[draws.whole(0, 3)]
    diagonal = axis[0] * axis[1] != 0
    count = draws.whole(2, 6 if diagonal else 10)
    texels = np.sqrt(_F(0.5 if diagonal else 1)) * _F(SIDE / count)
    half, thin, tone = draws.real(0.15, 0.3), draws.real(0.02, 0.06), draws.real(0.5, 1) * draws.whole(0, 1)
    distance = _HALF * _wave(_SHARES + draws.real(0, 1))
    band = _clip((half - distance) * texels + _HALF)
    both: Float = np.maximum(band, tone * _clip((thin - (_HALF - distance)) * texels + _HALF))
    return both[_steps(axis, count)]


def _noise(draws: _Draws) -> Float:
    """Clouds, from soft to blotches."""
    cells = draws.whole(2, 7)
    return _smooth(_HALF + draws.real(0.8, 2.2) * _fractal(cells, cells, draws.whole(3, 6), draws.bits()))


def _gradient(draws: _Draws) -> Float:
    """A soft ramp there and back, bent to one side by Schlick's bias (1994)."""
    axis = _AXES[draws.whole(0, 7)]
    ramp = _smooth(_wave(_SHARES + draws.real(0, 1))[None])[0]
    bend = 1 / draws.real(0.35, 0.65) - 2
    bent: Float = ramp / (bend * (1 - ramp) + 1)
    return bent[_steps(axis, 1)]


def _wood(draws: _Draws) -> Float:
    """Boards side by side: rings cut lengthwise, bent by slow noise, with fibres."""
    boards, rings, swing = draws.whole(1, 4), draws.whole(5, 12), draws.real(1.5, 4)
    figure = swing * _fractal(1, draws.whole(2, 3), 3, draws.bits()) + _SHARES * rings
    fibres = _F(0.4) * _fractal(4, 48, 2, draws.bits())
    out = np.empty((SIDE, SIDE), dtype=_F)
    for board in range(boards):
        along, ring, tone = draws.whole(0, SIDE - 1), draws.real(0, 1), draws.real(0.1, 0.32)
        first, end = SIDE * board // boards, SIDE * (board + 1) // boards
        fill_board(figure, fibres, along, ring, tone, first, end, out)
        if boards > 1:
            out[:, first : first + 3] *= np.array([0.1, 0.35, 0.8], dtype=_F)
    return out.T if draws.whole(0, 1) else out


def _marble(draws: _Draws) -> Float:
    """Bands stirred by turbulence, crossed by thin veins."""
    cells = draws.whole(2, 4)
    body = _fractal(cells, cells, 5, draws.bits())
    cracks = _fractal(cells, cells, 4, draws.bits()) + _F(0.3) * body
    bands = _smooth(_wave(_SHARES[_steps(_AXES[draws.whole(0, 3)], draws.whole(1, 3))] + draws.real(0.7, 1.6) * body))
    vein = _clip(1 - draws.real(5, 10) * np.abs(cracks))
    return bands * (1 - draws.real(0.4, 0.8) * vein * vein)


def _speckle(draws: _Draws) -> Float:
    """Flecks of two sizes strewn over a ground: dots, or chips as in terrazzo."""
    cells, dots = draws.whole(5, 12), draws.whole(0, 2) == 0
    out = np.full((SIDE, SIDE), draws.real(0, 0.12))
    add_flecks(out, 3 * cells, draws.bits(), dots)
    add_flecks(out, cells, draws.bits(), dots)
    return out


_FAMILIES: dict[str, Callable[[_Draws], Float]] = {
    "checker": _checker,
    "stripes": _stripes,
    "noise": _noise,
    "gradient": _gradient,
    "wood": _wood,
    "marble": _marble,
    "speckle": _speckle,
}
