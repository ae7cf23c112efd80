"""The colours of a room and of what is in it: what things usually are made of, drawn from a generator."""

from collections.abc import Mapping

from simworld.distributions.compounds import HSV
from simworld.distributions.univariate import Uniform
from simworld.plain import Color
from simworld.scene.material import Family, Material, ProceduralTexture
from simworld.streams import Generator

_PATTERNS = 4
"""Seeds of each pattern, so that many rooms share them: to make one takes longer than all else."""


def _hsv(hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]) -> HSV:
    return HSV(Uniform(*hue), Uniform(*saturation), Uniform(*value))


_ANY = (0.0, 1.0)
_GREY, _FABRIC = (0.0, 0.06), _hsv(_ANY, (0.2, 0.8), (0.3, 0.85))
_COLORS: Mapping[str, tuple[HSV, float, float]] = {
    "trim": (_hsv(_ANY, _GREY, (0.8, 0.97)), 0.5, 0.0),
    "wood": (_hsv((0.05, 0.1), (0.3, 0.7), (0.3, 0.8)), 0.5, 0.0),
    "white": (_hsv(_ANY, _GREY, (0.8, 0.95)), 0.5, 0.0),
    "dark": (_hsv(_ANY, _GREY, (0.05, 0.3)), 0.4, 0.0),
    "metal": (_hsv(_ANY, _GREY, (0.5, 0.7)), 0.3, 0.7),
    "lamp": (_hsv((0.08, 0.12), (0.0, 0.1), (0.98, 1.0)), 1.0, 0.0),
    "accent": (_FABRIC, 0.8, 0.0),
    "second": (_FABRIC, 0.8, 0.0),
    "leaves": (_hsv((0.22, 0.38), (0.4, 0.8), (0.25, 0.55)), 0.8, 0.0),
    "pot": (_hsv((0.03, 0.07), (0.5, 0.8), (0.5, 0.7)), 0.7, 0.0),
    "card": (_hsv((0.07, 0.1), (0.3, 0.5), (0.5, 0.75)), 0.9, 0.0),
    "books": (_hsv(_ANY, (0.3, 0.9), (0.3, 0.8)), 0.6, 0.0),
    "art": (_hsv(_ANY, (0.2, 0.9), (0.4, 0.95)), 0.6, 0.0),
}
"""What is of each look: its colour, roughness and metal."""
_TEXTURES: Mapping[str, tuple[tuple[Family, ...], float]] = {
    "wood": (("wood",), 0.6),
    "books": (("stripes",), 0.25),
    "art": (("noise", "marble", "speckle", "gradient", "wood"), 0.4),
}
"""The patterns of those that have one, and after how many metres they repeat."""


def palette(generator: Generator) -> dict[str, Material]:
    """The materials of what is in a room, by look."""
    return {look: _material(look, generator) for look in _COLORS}


def _color(colors: HSV, generator: Generator) -> Color:
    red, green, blue = colors(generator)
    return red, green, blue


def _material(look: str, generator: Generator) -> Material:
    colors, roughness, metallic = _COLORS[look]
    texture = None
    if look in _TEXTURES:
        families, size = _TEXTURES[look]
        family, seed = families[int(generator.integers(len(families)))], int(generator.integers(_PATTERNS))
        texture = ProceduralTexture(family=family, seed=seed, color=_color(colors, generator), size=size)
    return Material(color=_color(colors, generator), roughness=roughness, metallic=metallic, texture=texture)
