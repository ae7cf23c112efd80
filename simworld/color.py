"""From the colours people name and files hold (sRGB) to amounts of light, and back (IEC 61966-2-1)."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array, Vec3
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


_EXAMPLES: tuple[tuple[str, Color], ...] = (
    ("black", (0.0, 0.0, 0.0)),
    ("white", (1.0, 1.0, 1.0)),
    ("grey", (0.3, 0.3, 0.3)),
    ("grey", (0.5, 0.5, 0.5)),
    ("grey", (0.75, 0.75, 0.75)),
    ("red", (0.85, 0.1, 0.1)),
    ("red", (0.55, 0.05, 0.08)),
    ("orange", (1.0, 0.55, 0.05)),
    ("yellow", (0.95, 0.9, 0.15)),
    ("yellow", (0.85, 0.75, 0.3)),
    ("green", (0.15, 0.6, 0.2)),
    ("green", (0.1, 0.35, 0.15)),
    ("green", (0.5, 0.85, 0.4)),
    ("blue", (0.15, 0.3, 0.8)),
    ("blue", (0.25, 0.45, 0.7)),
    ("blue", (0.1, 0.15, 0.4)),
    ("blue", (0.5, 0.75, 0.95)),
    ("purple", (0.5, 0.15, 0.6)),
    ("purple", (0.65, 0.5, 0.85)),
    ("pink", (1.0, 0.6, 0.75)),
    ("pink", (0.9, 0.3, 0.6)),
    ("brown", (0.45, 0.27, 0.1)),
    ("brown", (0.6, 0.45, 0.3)),
)
"""The eleven basic colour terms (Berlin and Kay 1969), each with some that are called so."""


def color_name(color: Color) -> str:
    """The basic colour term whose example is nearest in CIELAB."""
    lab = _lab(color)
    return min(_EXAMPLES, key=lambda example: math.dist(lab, _lab(example[1])))[0]


@cache
def _lab(color: Color) -> Vec3:
    """CIELAB of an sRGB colour (CIE 15:2004), under D65."""
    r, g, b = to_linear(color)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
