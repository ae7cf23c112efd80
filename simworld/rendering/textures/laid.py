"""Patterns of what is laid and woven: cloth, walls and floors, of which each piece has a tone of its own."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from simworld.rendering.textures.texels import (
    F32,
    HALF,
    LINE,
    ONE,
    SHARES,
    SIDE,
    TEXEL,
    Float,
    TileDraws,
    clip,
    fractal,
    wave,
)

_HEXAGONS = ((5, 6), (7, 8), (12, 14))
"""Columns and rows of which a square holds nearly regular hexagons."""
_PLACES = SHARES + HALF * TEXEL
_SIN_60 = F32(0.8660254)
Whole = NDArray[np.int64]


def _tartan(draws: TileDraws) -> Float:
    """Bands of many widths there and back, in warp and weft alike, in a twill of two threads over and two under."""
    across = wave(_PLACES * draws.whole(1, 3) + draws.real(0, 1))
    tone = np.full(SIDE, draws.real(0, 0.3), dtype=F32)
    for _ in range(draws.whole(3, 5)):
        middle, half, other = draws.real(0, 1), draws.real(0.02, 0.14), draws.real(0, 1)
        inside = clip((half - np.abs(across - middle)) * F32(SIDE / 4) + HALF)
        tone += inside * (other - tone)
    over = (LINE + LINE[:, None]) % 4 < 2
    return np.where(over, tone, tone[:, None])


def _weave(draws: TileDraws) -> Float:
    """Strands that go over and under each other one by one, as in baskets and cane."""
    count = 2 * draws.whole(4, 12)
    place, along = _cells(_PLACES * F32(count))
    tones = _tones(draws, count), _tones(draws, count)
    over = (place + place[:, None]) % 2 == 0
    round_ = _round(along)
    lying = np.where(over, tones[0][place][:, None] * round_[:, None], tones[1][place] * round_)
    hidden = np.where(over, round_, round_[:, None])
    return clip(lying * (F32(0.6) + F32(0.4) * hidden))


def _brick(draws: TileDraws) -> Float:
    """Rows of bricks in running bond, in mortar."""
    columns, rows = draws.whole(2, 5), 2 * draws.whole(2, 5)
    row, up = _cells(_PLACES * F32(rows))
    shift = draws.real(0.2, 0.5) * (row % 2).astype(F32)
    brick, along = _cells(_PLACES * F32(columns) + shift[:, None])
    texels = (up[:, None], F32(SIDE / rows)), (along, F32(SIDE / columns))
    mortar = draws.real(1.5, 3.5)
    inside = clip(_edge(*texels[0]) - mortar) * clip(_edge(*texels[1]) - mortar)
    tone = _tones(draws, columns * rows, 0.55)[row[:, None] * columns + brick % columns]
    grain = F32(0.25) * fractal(16, 16, 3, draws.bits())
    return _moved(draws, clip(inside * (tone + grain) + (ONE - inside) * F32(0.08)))


def _planks(draws: TileDraws) -> Float:
    """Floorboards that end anywhere, with fibres along them."""
    rows, each = draws.whole(4, 8), draws.whole(1, 2)
    row, up = _cells(_PLACES * F32(rows))
    begin = _tones(draws, rows, 0.0)
    board, along = _cells(_PLACES * F32(each) + begin[row][:, None])
    tone = _tones(draws, rows * each, 0.3)[row[:, None] * each + board % each]
    fibres = fractal(48, 3, 3, draws.bits())
    joint = clip(_edge(up[:, None], F32(SIDE / rows)) - HALF) * clip(_edge(along, F32(SIDE / each)) - HALF)
    out = clip(joint * (F32(0.75) * tone + F32(0.35) * fibres + F32(0.15)))
    return _moved(draws, out.T if draws.whole(0, 1) else out)


def _herringbone(draws: TileDraws) -> Float:
    """Parquet of blocks at right angles, each as long as two to four are wide, in steps."""
    long = draws.whole(2, 4)
    count = 2 * long * draws.whole(1, (3, 2, 2)[long - 2])
    cell, within = _cells(_PLACES * F32(count))
    column, row = np.broadcast_to(cell, (SIDE, SIDE)), np.broadcast_to(cell[:, None], (SIDE, SIDE))
    step = (column - row) % (2 * long)
    lies = step < long
    place = np.where(lies, step, step - long)
    # Lying blocks begin on their left, standing ones below.
    first = np.where(lies, row * count + (column - place) % count, ((row + place) % count) * count + column)
    tone = _tones(draws, count * count, 0.25)[first]
    x, y = np.broadcast_to(within, (SIDE, SIDE)), np.broadcast_to(within[:, None], (SIDE, SIDE))
    along = (place.astype(F32) + np.where(lies, x, ONE - y)) / F32(long)
    size = F32(SIDE / count)
    joint = clip(_edge(np.where(lies, y, x), size)) * clip(_edge(along, size * F32(long)))
    fibres = np.where(lies, fractal(64, 6, 2, draws.bits()), fractal(6, 64, 2, draws.bits()))
    out = F32(0.8) * tone + F32(0.3) * fibres + F32(0.1)
    return _moved(draws, clip(joint * out.astype(F32)))


def _hexagons(draws: TileDraws) -> Float:
    """Tiles of six sides in grout."""
    columns, rows = _HEXAGONS[draws.whole(0, 2)]
    tones = _tones(draws, columns * rows, 0.4 if draws.whole(0, 1) else 0.85)
    row, up = _cells(_PLACES * F32(rows))
    nearest = np.full((SIDE, SIDE), 9, dtype=F32)
    second, tone = nearest.copy(), nearest.copy()
    for below in (-1, 0, 1):
        line = row + below
        tile, along = _cells(_PLACES * F32(columns) - HALF * (line % 2).astype(F32)[:, None])
        dy = (up - HALF - F32(below)) * _SIN_60
        for beside in (-1, 0, 1):
            dx = along - HALF - F32(beside)
            distance = dx * dx + (dy * dy)[:, None]
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest = np.where(closer, distance, nearest)
            number = (line % rows)[:, None] * columns + (tile + beside) % columns
            tone = np.where(closer, tones[number], tone)
    # Half the difference of the squares is how far the side between two middles one apart is.
    texels = HALF * (second - nearest) * F32(SIDE / columns)
    return _moved(draws, clip(texels - draws.real(0.5, 2)) * tone)


def _moved(draws: TileDraws, tile: Float) -> Float:
    """The tile from another place on, round and round."""
    return np.roll(tile, (draws.whole(0, SIDE - 1), draws.whole(0, SIDE - 1)), axis=(0, 1))


def _cells(x: Float) -> tuple[Whole, Float]:
    """In which cell of length 1 places are, and where in it from 0 to 1."""
    cell = np.floor(x)
    return cell.astype(np.int64), x - cell


def _edge(within: Float, texels: np.float32) -> Float:
    """Texels to the nearer end of a cell of so many."""
    edge: Float = np.minimum(within, ONE - within) * texels
    return edge


def _round(within: Float) -> Float:
    """How bright a strand is from one side to the other."""
    from_middle = 2 * within - ONE
    return ONE - F32(0.85) * from_middle * from_middle


def _tones(draws: TileDraws, count: int, least: float = 0.6) -> Float:
    """A number from `least` to 1 for each of so many pieces."""
    return np.array([draws.real(least, 1) for _ in range(count)], dtype=F32)


LAID: Mapping[str, Callable[[TileDraws], Float]] = {
    "tartan": _tartan,
    "weave": _weave,
    "brick": _brick,
    "planks": _planks,
    "herringbone": _herringbone,
    "hexagons": _hexagons,
}
