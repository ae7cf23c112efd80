"""Which samples of a pixel show the same surface: it is shaded once for all of them, and they are a fragment.

Of n x n samples a pixel has at most n * n fragments, and mostly one. A fragment is named by its samples, one bit each,
column by column; what is seen of fixed parts where others are not in the way has its fragments by itself, so that light
on it can be kept while others move.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel

Float = NDArray[np.float32]
Whole = NDArray[np.int32]

_F = np.float32
_ALIKE = _F(0.9)
"""Cosine of the most that two triangles of one surface may be turned to each other."""
_STEP = _F(0.05)
"""Share by which inverse depth may differ from one sample of a surface to another."""


class Samples(NamedTuple):
    """What is seen, sample by sample: triangles, -1 for none, and inverse depth, each (h, w).

    The same of fixed parts alone; and where in the pinhole image each sample looks, `grid` (h, w, 2), which is empty
    where that is the sample itself.
    """

    ids: Annotated[Whole, 2]
    inverse_depth: Annotated[Float, 2]
    fixed_ids: Annotated[Whole, 2]
    fixed_inverse_depth: Annotated[Float, 2]
    grid: Annotated[Float, 3]


@inlined
def fragment(geometry: Any, ids: Any, inverse_depth: Any, row: int, column: int, factor: int, left: int) -> Any:
    """Those of the samples `left` of a pixel that show the surface that the first of them shows, and the first.

    The pixel's samples are `factor` x `factor` from (`row`, `column`) on.
    """
    taken, first, bit = 0, 0, 0
    t, q = np.int32(-1), _F(0.0)
    for j in range(column, column + factor):
        for i in range(row, row + factor):
            if left >> bit & 1:
                if taken == 0:
                    taken, first, t, q = 1 << bit, bit, ids[i, j], inverse_depth[i, j]
                elif alike(geometry, t, q, ids[i, j], inverse_depth[i, j]):
                    taken |= 1 << bit
            bit += 1
    return taken, first


@inlined
def alike(geometry: Any, t: Any, q: Any, other: Any, other_q: Any) -> Any:
    """Whether two samples show one surface: one part that neither turns nor ends between them."""
    if t == other:
        return True
    if t < 0 or other < 0:
        return False
    a, b = np.uint32(t), np.uint32(other)
    part, facets = geometry.part_of, geometry.facets
    turned = facets[a, 0] * facets[b, 0] + facets[a, 1] * facets[b, 1] + facets[a, 2] * facets[b, 2]
    return part[a] == part[b] and turned > _ALIKE and abs(q - other_q) <= _STEP * q


@inlined
def middle(samples: int, row: int, column: int, factor: int, grid: Any) -> Any:
    """Column and row, in the pinhole image, of the middle of a fragment."""
    x, y, bit = _F(0.0), _F(0.0), 0
    for j in range(column, column + factor):
        for i in range(row, row + factor):
            across, down = looks_at(i, j, grid)
            seen = _F(samples >> bit & 1)
            x, y = x + seen * across, y + seen * down
            bit += 1
    share = _F(1.0) / _F(how_many(samples))
    return x * share, y * share


@inlined
def looks_at(i: int, j: int, grid: Any) -> Any:
    """Column and row, in the pinhole image, where a sample looks."""
    if grid.shape[0] > 0:
        return grid[i, j, 0], grid[i, j, 1]
    return _F(j), _F(i)


@inlined
def how_many(samples: int) -> int:
    """Samples of a fragment: how many of 16 bits are set, counted side by side."""
    pairs = samples - (samples >> 1 & 0x5555)
    fours = (pairs & 0x3333) + (pairs >> 2 & 0x3333)
    eights = fours + (fours >> 4) & 0x0F0F
    return eights + (eights >> 8) & 0x1F


@kernel
def find_fragments(geometry: Any, samples: Any, factor: int, starts: Any) -> int:
    """Number the fragments of fixed parts: pixel p has those from `starts[p]` (h * w + 1,) on; how many there are."""
    height, width = samples.fixed_ids.shape[0] // factor, samples.fixed_ids.shape[1] // factor
    found = 0
    for i in range(height):
        for j in range(width):
            starts[i * width + j] = found
            left = (1 << factor * factor) - 1
            while left:
                taken, _ = fragment(
                    geometry, samples.fixed_ids, samples.fixed_inverse_depth, factor * i, factor * j, factor, left
                )
                left &= ~taken
                found += 1
    starts[height * width] = found
    return found
