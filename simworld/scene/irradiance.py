"""How much light of lamps falls on a place."""

import math
from collections.abc import Iterable, Sequence

from simworld.color import to_linear
from simworld.geometry import Vec3
from simworld.scene.light import DirectionalLight, Light, SpotLight

_NEAREST = 0.05
"""Metres below which a lamp is as strong as there."""


def irradiance(lights: Iterable[Light], place: Sequence[float], normal: Sequence[float]) -> Vec3:
    """Light that falls on a place (3,) which faces along a unit `normal`, with nothing in its way, linear.

    Light of 1 is what makes a white surface as bright as white gets at exposure 0.
    """
    # Plain floats: NumPy's call overhead would show in every reset.
    red = green = blue = 0.0
    for light in lights:
        strength = light.intensity
        if isinstance(light, DirectionalLight):
            way = light.direction
            distance = math.hypot(*way)
        else:
            way = _between(place, light.position)
            distance = max(math.hypot(*way), _NEAREST)
            strength /= distance**2
        if isinstance(light, SpotLight):
            away = math.acos(max(-1.0, min(1.0, -_dot(way, light.direction) / distance / math.hypot(*light.direction))))
            strength *= min(max((light.angle - away) / max(light.angle * light.blend, 1e-4), 0.0), 1.0)
        strength *= max(_dot(way, normal) / distance, 0.0)
        r, g, b = to_linear(light.color)
        red, green, blue = red + strength * r, green + strength * g, blue + strength * b
    return red, green, blue


def _between(a: Sequence[float], b: Vec3) -> Vec3:
    return b[0] - a[0], b[1] - a[1], b[2] - a[2]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
