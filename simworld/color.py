"""From the colours people name and files hold (sRGB) to amounts of light, and back (IEC 61966-2-1)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.plain import Color


def _decoded(c: float) -> float:
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)


def to_linear(color: Color) -> Color:
    """Linear light of an sRGB colour, both in 0..1."""
    r, g, b = color
    return _decoded(r), _decoded(g), _decoded(b)


def encode(linear: Array) -> NDArray[np.uint8]:
    """sRGB bytes of linear light, which is cut off at 0 and 1."""
    light = np.clip(linear, 0, 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    encoded: NDArray[np.uint8] = np.rint(255 * curve).astype(np.uint8)
    return encoded


@cache
def tone_curve() -> NDArray[np.uint8]:
    """sRGB 0..255 of linear 0..1 in 4,096 steps."""
    return encode(np.linspace(0, 1, 4096))


LINEAR: NDArray[np.uint16] = np.array([round(65535 * _decoded(byte / 255)) for byte in range(256)], dtype=np.uint16)
"""Linear light in 0..65535 of the sRGB bytes 0..255."""
LINEAR.setflags(write=False)
