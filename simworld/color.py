"""From the colours people name and files hold (sRGB) to amounts of light, and back (IEC 61966-2-1)."""

from collections.abc import Mapping
from colorsys import rgb_to_hsv
from functools import cache, lru_cache
from typing import NamedTuple

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


class _Region(NamedTuple):
    """Colours by hue in degrees, which may go past 360, and by saturation and value, each from and to."""

    hue: tuple[float, float] = (0, 360)
    saturation: tuple[float, float] = (0, 1)
    value: tuple[float, float] = (0, 1)

    def holds(self, hue: float, saturation: float, value: float) -> bool:
        """Whether a colour is within."""
        turned = hue + 360 if hue < self.hue[0] else hue
        (s, most_s), (v, most_v) = self.saturation, self.value
        return turned <= self.hue[1] and s <= saturation <= most_s and v <= value <= most_v


_CALLED: Mapping[str, tuple[_Region, ...]] = {
    "black": (_Region(value=(0, 0.15)), _Region(value=(0, 0.28))),
    "white": (_Region((0, 360), (0, 0.08), (0.9, 1)), _Region((0, 360), (0, 0.16), (0.8, 1))),
    "grey": (_Region((0, 360), (0, 0.08), (0.32, 0.8)), _Region((0, 360), (0, 0.32), (0.1, 0.92))),
    "red": (_Region((351, 368), (0.6, 1), (0.5, 1)), _Region((340, 380), (0.35, 1), (0.12, 1))),
    "orange": (_Region((21, 40), (0.6, 1), (0.8, 1)), _Region((10, 48), (0.4, 1), (0.5, 1))),
    "brown": (_Region((12, 40), (0.35, 1), (0.25, 0.6)), _Region((8, 52), (0.18, 1), (0.12, 0.75))),
    "yellow": (_Region((48, 66), (0.4, 1), (0.75, 1)), _Region((40, 78), (0.2, 1), (0.4, 1))),
    "green": (_Region((85, 160), (0.4, 1), (0.32, 1)), _Region((62, 195), (0.12, 1), (0.12, 1))),
    "blue": (_Region((204, 236), (0.46, 1), (0.4, 1)), _Region((170, 262), (0.12, 1), (0.12, 1))),
    "purple": (_Region((264, 303), (0.42, 1), (0.4, 1)), _Region((239, 324), (0.12, 1), (0.12, 1))),
    "pink": (
        _Region((318, 352), (0.2, 0.8), (0.75, 1)),
        _Region((304, 348), (0.12, 1), (0.5, 1)),
        _Region((348, 380), (0.12, 0.54), (0.5, 1)),
    ),
}
"""The eleven basic colour terms (Berlin and Kay 1969): first what everybody calls so, then all that somebody may."""

COLOR_NAMES: tuple[str, ...] = tuple(_CALLED)
"""The basic colour terms."""


@lru_cache(maxsize=4096)
def color_names(color: Color) -> tuple[str, ...]:
    """All that an sRGB colour may be called, of COLOR_NAMES."""
    hsv = _hsv(color)
    found = tuple(name for name, regions in _CALLED.items() if any(region.holds(*hsv) for region in regions[1:]))
    return found or COLOR_NAMES


def color_name(color: Color) -> str | None:
    """What everybody calls an sRGB colour; None where it may be called otherwise too."""
    names = color_names(color)
    return names[0] if len(names) == 1 and _CALLED[names[0]][0].holds(*_hsv(color)) else None


def _hsv(color: Color) -> Vec3:
    hue, saturation, value = rgb_to_hsv(*color)
    return 360 * hue, saturation, value
