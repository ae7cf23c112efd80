"""The preset of what no other one draws: scenes that show whether what was learnt holds in a world never seen."""

from typing import Any

from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV
from simworld.distributions.univariate import Integers, LogUniform, Uniform
from simworld.randomization.preset_parts import preset, two_toned


def _surface(prefix: str, color: HSV, size: float, *textures: str) -> dict[str, Any]:
    """A surface with held out patterns."""
    return two_toned(prefix, color, Choice(textures), size, Uniform(0.3, 0.9))


_PAINT = HSV(saturation=Uniform(0.05, 0.6), value=Uniform(0.3, 0.95))
_TIMBER = HSV(Uniform(0.04, 0.13), Uniform(0.1, 0.6), Uniform(0.25, 0.9))
_PALE = HSV(Uniform(0.05, 0.6), Uniform(0.0, 0.25), Uniform(0.5, 0.95))

_LOOKS: dict[str, Any] = {
    **_surface("boxes.*", _PAINT, 0.12, "weave", "planks"),
    **_surface("table", _TIMBER, 0.5, "planks", "herringbone", "hexagons"),
    **_surface("floor", _TIMBER, 0.9, "planks", "herringbone", "hexagons"),
    **_surface("cloth", _PAINT, 0.12, "tartan", "weave"),
    **_surface("room.wall", _PALE, 0.9, "brick", "weave"),
    "room.there": 1,
    "room.width": Uniform(6.2, 8.0),
    "room.depth": Uniform(6.2, 8.0),
    "room.height": Uniform(3.3, 4.0),
    "room.windows": Integers(4, 6),
    "room.things": Integers(10, 12),
    "room.tint": Uniform(0.75, 1.0),
    "lights.count": 4,
    "lights.ambient": Uniform(0.12, 0.35),
    "lights.*.kind": Choice(("point", "spot"), (0.7, 0.3)),
    "lights.*.elevation": Uniform(0.5, 1.45),
    "lights.*.distance": Uniform(1.0, 2.6),
    "lights.*.intensity": LogUniform(0.05, 0.5),
    "lights.*.cone": Uniform(0.5, 1.0),
    "lights.*.temperature": Uniform(3800.0, 7000.0),
    "lights.*.softness": Uniform(0.16, 0.3),
}
_TAKEN: dict[str, Any] = {
    "objects.*.seed": Integers(0, 29) * 10 + Integers(8, 9),
    "camera.*.azimuth": Uniform(-1.9, 1.9),
    "camera.*.aperture": LogUniform(0.0008, 0.005),
    "camera.*.focus": Uniform(0.6, 1.0),
    "camera.*.principal.x": 0.0,
    "camera.*.principal.y": 0.0,
    "sensor.crop": 1.0,
    "sensor.rgb.least": 0.2,
    "sensor.rgb.exposure": Uniform(-0.3, 0.3),
    "sensor.rgb.white_balance.red": Uniform(0.94, 1.06),
    "sensor.rgb.white_balance.blue": Uniform(0.94, 1.06),
    "sensor.rgb.shot_noise": Uniform(0.004, 0.025),
    "sensor.rgb.read_noise": Uniform(0.001, 0.006),
    "sensor.rgb.defocus": Uniform(0.0008, 0.0022),
    "sensor.rgb.vignetting": Uniform(0.05, 0.35),
    "sensor.rgb.jpeg_quality": Integers(72, 96),
}

UNSEEN = preset(_LOOKS, _TAKEN)
"""Patterns, rooms, light and a lens that no other preset draws, things that `household` does not, a phone's camera."""

UNSEEN_LOOKS = preset(_LOOKS)
"""The same patterns, rooms and light alone: things and cameras are as another preset has them."""
