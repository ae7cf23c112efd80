"""The colours of black bodies."""

from simworld.geometry import Vec3
from simworld.plain import Color

_WHITE = 6500.0
_TO_SRGB = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
"""CIE XYZ to linear sRGB (IEC 61966-2-1)."""


def color_of_temperature(kelvin: float) -> Color:
    """The sRGB colour of a black body, as bright as can be, relative to the one of 6500 K, which is white."""
    own, white = _linear(kelvin), _linear(_WHITE)
    red, green, blue = (max(a / b, 0.0) for a, b in zip(own, white, strict=True))
    most = max(red, green, blue)
    r, g, b = (_encoded(c / most) for c in (red, green, blue))
    return (r, g, b)


def _linear(kelvin: float) -> Vec3:
    """Linear sRGB of a black body of luminance 1, by the cubic fit of Kim et al. (2002) to the Planckian locus."""
    u = 1e3 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * u**3 - 0.2343589 * u**2 + 0.8776956 * u + 0.179910
    else:
        x = -3.0258469 * u**3 + 2.1070379 * u**2 + 0.2226347 * u + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = (x / y, 1.0, (1 - x - y) / y)
    r, g, b = (sum(m * c for m, c in zip(row, xyz, strict=True)) for row in _TO_SRGB)
    return (r, g, b)


def _encoded(linear: float) -> float:
    """The sRGB curve."""
    if linear >= 1:
        return 1.0  # which the curve misses by rounding
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return value
