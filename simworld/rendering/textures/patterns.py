"""Procedural patterns: numbers in 0..1 on a square tile without seams, from a family and a seed."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import jit
from simworld.rendering.textures.laid import LAID
from simworld.rendering.textures.texels import (
    F32,
    HALF,
    LINE,
    ONE,
    SHARES,
    SIDE,
    TEXEL,
    ZERO,
    Float,
    TileDraws,
    clip,
    direction,
    fractal,
    hashed,
    quantize,
    smooth,
    smoothed,
    steps,
    unit,
    wave,
)
from simworld.scene.material import Family

_AXES = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))
_SIN_60 = 0.8660254
_HEXAGON = np.array([(1, 0), (0.5, _SIN_60), (-0.5, _SIN_60), (-1, 0), (-0.5, -_SIN_60), (0.5, -_SIN_60)], dtype=F32)


def pattern(family: Family, seed: int) -> NDArray[np.uint16]:
    """The pattern (SIDE, SIDE) of a family and seed, its 0..1 as 0..65535."""
    made = np.empty((SIDE, SIDE), dtype=np.uint16)
    quantize(np.ascontiguousarray(_FAMILIES[family](TileDraws(seed))), made)
    return made


@jit
def add_flecks(out: Any, cells: int, seed: int, dots: Any) -> None:
    """Draw a fleck at random in each of cells x cells squares, over what there is: dots, or hexagonal chips."""
    cell = F32(SIDE) / F32(cells)
    sides = np.empty((6, 3), dtype=F32)
    for n in range(cells * cells):
        h = hashed(seed + n)
        x0 = (F32(n % cells) + unit(hashed(h + 1))) * cell
        y0 = (F32(n // cells) + unit(hashed(h + 2))) * cell
        radius = cell * (F32(0.2) + F32(0.35) * unit(hashed(h + 3)))
        tone = F32(0.45) + F32(0.55) * unit(hashed(h + 4))
        cos, sin = direction(hashed(h + 5))
        for k in range(6):
            hx, hy = _HEXAGON[k, 0], _HEXAGON[k, 1]
            sides[k, 0], sides[k, 1] = cos * hx - sin * hy, sin * hx + cos * hy
            sides[k, 2] = radius * (HALF + HALF * unit(hashed(h + 6 + k))) + HALF
        reach = int(radius * F32(1.2)) + 2
        for r in range(int(y0) - reach, int(y0) + reach + 1):
            row, dy = out[r & (SIDE - 1)], F32(r) + HALF - y0
            for c in range(int(x0) - reach, int(x0) + reach + 1):
                dx = F32(c) + HALF - x0
                inside = ONE
                if dots:
                    inside = min(inside, radius + HALF - np.sqrt(dx * dx + dy * dy))
                else:
                    for k in range(6):
                        inside = min(inside, sides[k, 2] - dx * sides[k, 0] - dy * sides[k, 1])
                if inside > ZERO:
                    row[c & (SIDE - 1)] += inside * (tone - row[c & (SIDE - 1)])


@jit
def fill_board(figure: Any, fibres: Any, along: int, ring: Any, tone: Any, first: int, end: int, out: Any) -> None:
    """Fill the columns from `first` to `end` with wood of a figure and fibres that are `along` texels further up."""
    for r in range(SIDE):
        above = (r - along) & (SIDE - 1)
        for c in range(first, end):
            x = figure[above, c] + ring
            x -= np.floor(x)
            rings = smooth(x * F32(1.25)) * smooth((ONE - x) * F32(5))
            out[r, c] = min(max(fibres[above, c] + tone + F32(0.55) * rings, ZERO), ONE)


def _checker(draws: TileDraws) -> Float:
    """Squares, an even number a side."""
    count = 2 * draws.whole(1, 4)
    # A square wave's mean over each texel: a triangle wave that is a texel steep at its zeros, cut off.
    square = wave((LINE.astype(F32) + HALF) * (TEXEL * count / 2) + F32(0.25))
    edge = 2 * clip((square - HALF) * F32(SIDE / count) + HALF) - 1
    return HALF + HALF * np.roll(edge, draws.whole(0, SIDE - 1)) * np.roll(edge, draws.whole(0, SIDE - 1))[:, None]


def _stripes(draws: TileDraws) -> Float:
    """Bands along an axis or a diagonal, half of them with a thin band between two."""
    axis = _AXES[draws.whole(0, 3)]
    diagonal = axis[0] * axis[1] != 0
    count = draws.whole(2, 6 if diagonal else 10)
    texels = np.sqrt(F32(0.5 if diagonal else 1)) * F32(SIDE / count)
    half, thin, tone = draws.real(0.15, 0.3), draws.real(0.02, 0.06), draws.real(0.5, 1) * draws.whole(0, 1)
    distance = HALF * wave(SHARES + draws.real(0, 1))
    band = clip((half - distance) * texels + HALF)
    both: Float = np.maximum(band, tone * clip((thin - (HALF - distance)) * texels + HALF))
    return both[steps(axis, count)]


def _noise(draws: TileDraws) -> Float:
    """Clouds, from soft to blotches."""
    cells = draws.whole(2, 7)
    return smoothed(HALF + draws.real(0.8, 2.2) * fractal(cells, cells, draws.whole(3, 6), draws.bits()))


def _gradient(draws: TileDraws) -> Float:
    """A soft ramp there and back, bent to one side by Schlick's bias (1994)."""
    axis = _AXES[draws.whole(0, 7)]
    ramp = smoothed(wave(SHARES + draws.real(0, 1))[None])[0]
    bend = 1 / draws.real(0.35, 0.65) - 2
    bent: Float = ramp / (bend * (1 - ramp) + 1)
    return bent[steps(axis, 1)]


def _wood(draws: TileDraws) -> Float:
    """Boards side by side: rings cut lengthwise, bent by slow noise, with fibres."""
    boards, rings, swing = draws.whole(1, 4), draws.whole(5, 12), draws.real(1.5, 4)
    figure = swing * fractal(1, draws.whole(2, 3), 3, draws.bits()) + SHARES * rings
    fibres = F32(0.4) * fractal(4, 48, 2, draws.bits())
    out = np.empty((SIDE, SIDE), dtype=F32)
    for board in range(boards):
        along, ring, tone = draws.whole(0, SIDE - 1), draws.real(0, 1), draws.real(0.1, 0.32)
        first, end = SIDE * board // boards, SIDE * (board + 1) // boards
        fill_board(figure, fibres, along, ring, tone, first, end, out)
        if boards > 1:
            out[:, first : first + 3] *= np.array([0.1, 0.35, 0.8], dtype=F32)
    return out.T if draws.whole(0, 1) else out


def _marble(draws: TileDraws) -> Float:
    """Bands stirred by turbulence, crossed by thin veins."""
    cells = draws.whole(2, 4)
    body = fractal(cells, cells, 5, draws.bits())
    cracks = fractal(cells, cells, 4, draws.bits()) + F32(0.3) * body
    bands = smoothed(wave(SHARES[steps(_AXES[draws.whole(0, 3)], draws.whole(1, 3))] + draws.real(0.7, 1.6) * body))
    vein = clip(1 - draws.real(5, 10) * np.abs(cracks))
    return bands * (1 - draws.real(0.4, 0.8) * vein * vein)


def _speckle(draws: TileDraws) -> Float:
    """Flecks of two sizes strewn over a ground: dots, or chips as in terrazzo."""
    cells, dots = draws.whole(5, 12), draws.whole(0, 2) == 0
    out = np.full((SIDE, SIDE), draws.real(0, 0.12))
    add_flecks(out, 3 * cells, draws.bits(), dots)
    add_flecks(out, cells, draws.bits(), dots)
    return out


_FAMILIES: dict[str, Callable[[TileDraws], Float]] = {
    **LAID,
    "checker": _checker,
    "stripes": _stripes,
    "noise": _noise,
    "gradient": _gradient,
    "wood": _wood,
    "marble": _marble,
    "speckle": _speckle,
}
