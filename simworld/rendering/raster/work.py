"""The rows of the flat array in which blocks of pixels are shaded."""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

LANES = 64
"""Pixels shaded together."""
POSITION = 0
"""In the camera's frame, metres (3 rows)."""
NORMAL = 3 * LANES
"""Unit, towards the camera (3 rows)."""
VIEW = 6 * LANES
"""Unit, from the surface to the camera (3 rows)."""
ALBEDO = 9 * LANES
"""Linear colour (3 rows)."""
OTHER = 12 * LANES
"""Linear colour that a pattern mixes it with (3 rows)."""
ALPHA = 15 * LANES
"""Roughness squared."""
METALLIC = 16 * LANES
BASE = 17 * LANES
"""Reflectance at normal incidence of what is not metallic."""
OUT = 18 * LANES
"""Radiance (3 rows)."""
LIT = 21 * LANES
"""How strongly a light reaches the place, then the unit vector towards it (4 rows)."""
TEXTURE = 25 * LANES
"""Place in the texture (2 rows), and the square of how many texels a pixel is wide (1 row)."""
MAP = 28 * LANES
"""Place in a shadow map, and metres towards the light (3 rows)."""
PLACE = 31 * LANES
"""How far right and below a texel's centre it is, in the finer of two levels and in the coarser (4 rows)."""
MIX = 35 * LANES
"""How much of OTHER is in the mix."""
TAPS = 36 * LANES
"""The four texels of the shadow map around the place (4 rows)."""
SIDE = 40 * LANES
"""Texels along a side of the texture; of the finer of two levels, later."""
DIRECT = 41 * LANES
"""Radiance that a light adds where nothing is in its way (3 rows)."""
AT = 44 * LANES
"""Where in its image a fragment is shaded, as column and row of samples' centres (2 rows)."""
FROM = 46 * LANES
"""How far right and below a sample of it that is (2 rows)."""
PLANES = 6 * LANES
"""What a lane's triangle is, before the lane is anything else (PLANE rows)."""
INVERSE = 48 * LANES
"""Inverse depth of that sample."""
ROWS = 49

# Rows of a second array, of whole numbers.
WHERE = 0
"""The pixel, row by row, or the fragment in the static cache."""
START = LANES
"""Where the texture begins in all texels."""
NEXT = 2 * LANES
"""Texels from one channel of the texture to the next, 0 for a pattern."""
FINE = 3 * LANES
"""Where the texel is among all of them, in the finer of two levels."""
COARSE = 4 * LANES
CORNER = 5 * LANES
"""Where the texel is among those of all shadow maps."""
CODE = 6 * LANES
"""Red, green and blue as steps of the tone curve (3 rows)."""
TRIANGLE = 9 * LANES
SLOT = 10 * LANES
"""The place among TOTAL of a fragment's pixel."""
WEIGHT = 11 * LANES
"""Samples that see a fragment."""
KEPT, KEPT_SLOT, KEPT_WEIGHT = 12 * LANES, 13 * LANES, 14 * LANES
"""Of fragments that are in the static cache, which they are, their place among TOTAL, and their samples."""
PIXEL = 15 * LANES
"""Of the places in TOTAL, the pixel."""
TOTAL = 16 * LANES
"""Sums of CODE over samples, by pixel (3 rows)."""
SEEN = 19 * LANES
"""Of columns of samples, which see what moves, one bit for each row of a pixel."""
NEW = 20 * LANES
"""Triangles that are to be set up, before others of a block are looked at."""
WHOLE_ROWS = 21


class Scratch(NamedTuple):
    """Room for a block: `w` (ROWS * LANES,), the same memory as whole numbers `bits`, `whole` (WHOLE_ROWS * LANES,).

    In `fours` (2 * LANES,) is what was looked up in textures.
    """

    w: Annotated[NDArray[np.float32], 1]
    bits: Annotated[NDArray[np.int32], 1]
    whole: Annotated[NDArray[np.int32], 1]
    fours: Annotated[NDArray[np.uint64], 1]


def scratch() -> Scratch:
    """New room for blocks."""
    w = np.zeros(ROWS * LANES, dtype=np.float32)
    return Scratch(
        w, w.view(np.int32), np.zeros(WHOLE_ROWS * LANES, dtype=np.int32), np.zeros(2 * LANES, dtype=np.uint64)
    )
