"""Capital letters and digits as pixels, five by seven: fonts of a system would differ from machine to machine."""

import numpy as np
from numpy.typing import NDArray

HEIGHT = 7
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COLUMNS = bytes.fromhex(
    "3e5149453e00427f400042615149462141454b311814127f1027454545393c4a49493001710905033649494936064949291e"
    "7e1111117e7f494949363e414141227f4141221c7f494949417f090909013e4149497a7f0808087f00417f41002040413f01"
    "7f081422417f404040407f020c027f7f0408107f3e4141413e7f090909063e4151215e7f09192946464949493101017f0101"
    "3f4040403f1f2040201f3f4038403f631408146307087008076151494543"
)
"""Five columns of each, from the left, with the uppermost pixel in the lowest bit."""


def glyphs(words: str) -> NDArray[np.bool_]:
    """The pixels (7, n) that letters and digits cover, a column apart."""
    places = [5 * _LETTERS.index(letter) for letter in words]
    columns = [column for place in places for column in (*_COLUMNS[place : place + 5], 0)][:-1]
    made: NDArray[np.bool_] = (np.array(columns)[None, :] >> np.arange(HEIGHT)[:, None]) & 1 == 1
    return made
