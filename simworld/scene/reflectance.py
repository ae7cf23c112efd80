"""How much of the light that falls on a surface it throws back."""

from collections.abc import Sequence

import numpy as np

from simworld.geometry import Array
from simworld.scene.material import Material


def reflectance(material: Material, color: Sequence[float] | Array) -> Array:
    """The share (3,) of light that a surface throws back, about on average over directions.

    `color` (3,), linear, is that of the material with its texture, on average over the surface.
    """
    base = np.asarray(color, dtype=float)
    # Rough metals throw back less than their colour: light is lost between their facets.
    metal = base * (1 - 0.5 * material.roughness**2)
    return (1 - material.metallic) * (base + 0.08 * material.specular * (1 - base)) + material.metallic * metal
