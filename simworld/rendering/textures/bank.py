"""All textures of a scene in one array, as the rasterizer looks them up."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel
from simworld.rendering.textures.pyramid import Pyramid, pyramid, reduced
from simworld.scene.material import Texture

Whole = NDArray[np.int32]


class Textures(NamedTuple):
    """All levels of all textures of a scene.

    Channel by channel, texture k begins at `starts[k]` with a level of one texel, and each further level has twice the
    side, up to 2 ** `sides[k]` texels. The first is none: one texel without channels. A texel is 16 bits, with those of
    its neighbours right, below, and below right in the next ones, so that one look-up finds all four.
    """

    texels: Annotated[NDArray[np.uint64], 1]
    starts: Annotated[Whole, 1]
    sides: Annotated[Whole, 1]
    channels: Annotated[Whole, 1]


def textures_of(used: Mapping[Texture, int]) -> Textures:
    """The textures in their order after none, of so many texels a side at most; a broken image raises RenderError."""
    return _bank(tuple(reduced(pyramid(texture), side) for texture, side in used.items()))


# A scene has a draw list for each of its cameras.
@lru_cache(maxsize=4)
def _bank(pyramids: tuple[Pyramid, ...]) -> Textures:
    sizes = [1, *(made.texels.size for made in pyramids)]
    starts = np.cumsum([0, *sizes])
    texels = np.zeros(starts[-1], dtype=np.uint64)
    for made, start in zip(pyramids, starts[1:], strict=False):
        pack(made.texels, made.side, made.channels, texels[start:])
    return Textures(
        texels=texels,
        starts=starts[:-1].astype(np.int32),
        sides=np.array([0, *(made.side.bit_length() - 1 for made in pyramids)], dtype=np.int32),
        channels=np.array([0, *(made.channels for made in pyramids)], dtype=np.int32),
    )


@kernel
def pack(texels: Any, side: int, channels: int, out: Any) -> None:
    """Fill `out` with the texels of a pyramid and their neighbours, by channel, the level of one texel first."""
    start, each = 0, (4 * side * side - 1) // 3
    while side > 0:
        first = (side * side - 1) // 3
        for i in range(side):
            upper, lower = start + i * side * channels, start + ((i + 1) & (side - 1)) * side * channels
            for k in range(channels):
                to = k * each + first + i * side
                for j in range(side - 1):
                    at = np.uint64(j * channels + k)
                    right = at + np.uint64(channels)
                    above, below = np.uint64(upper), np.uint64(lower)
                    out[np.uint64(to + j)] = joined(
                        texels[above + at], texels[above + right], texels[below + at], texels[below + right]
                    )
                last = (side - 1) * channels + k
                out[to + side - 1] = joined(
                    texels[upper + last], texels[upper + k], texels[lower + last], texels[lower + k]
                )
        start, side = start + side * side * channels, side // 2


@inlined
def joined(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four numbers of 16 bits in one of 64."""
    left = np.uint64(a) | np.uint64(b) << np.uint64(16)
    return left | np.uint64(c) << np.uint64(32) | np.uint64(d) << np.uint64(48)
