"""From the colours people name and files hold (sRGB) to amounts of light, and back (IEC 61966-2-1)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.scene.plain import Color


def _decoded(c: float) -> float:
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)


def to_linear(color: Color) -> Color:
    """Linear light of an sRGB colour, both in 0..1."""
    r, g, b = color
    return _decoded(r), _decoded(g), _decoded(b)


@cache
def tone_curve() -> NDArray[np.uint8]:
    """sRGB 0..255 of linear 0..1 in 4,096 steps."""
    linear = np.linspace(0, 1, 4096)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    curve: NDArray[np.uint8] = np.rint(255 * encoded).astype(np.uint8)
    return curve


LINEAR: NDArray[np.uint16] = np.array([round(65535 * _decoded(byte / 255)) for byte in range(256)], dtype=np.uint16)
"""Linear light in 0..65535 of the sRGB bytes 0..255."""
LINEAR.setflags(write=False)
