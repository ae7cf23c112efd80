"""How much of the light that falls on a surface it throws back."""

from typing import TypeVar

from simworld.geometry import Array
from simworld.scene.material import Material

Light = TypeVar("Light", float, Array)
"""A linear colour (3,), or its luminance."""


def reflectance(material: Material, color: Light) -> Light:
    """The share of light that a surface throws back, about on average over directions.

    `color` is that of the material with its texture, on average over the surface.
    """
    # Rough metals throw back less than their colour: light is lost between their facets.
    metal = color * (1 - 0.5 * material.roughness**2)
    return (1 - material.metallic) * (color + 0.08 * material.specular * (1 - color)) + material.metallic * metal
