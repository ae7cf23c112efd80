"""Lights, and what is behind everything."""

from math import pi
from typing import Annotated, Literal

from pydantic import Field

from simworld.plain import Color, Direction, Fraction, Plain, Position
from simworld.scene.material import Texture

Strength = Annotated[float, Field(ge=0, le=1e6)]


class DirectionalLight(Plain):
    """Light from far away. `direction` points from the scene to it; `angle` is its angular diameter in radians.

    At intensity 1 a white surface that faces it is as bright as white gets at exposure 0.
    """

    kind: Literal["directional"] = "directional"
    direction: Direction = (0.4, -0.6, 1.0)
    color: Color = (1.0, 1.0, 1.0)
    intensity: Strength = 0.5
    shadow: bool = True
    angle: Annotated[float, Field(ge=0, le=0.5)] = 0.0


class PointLight(Plain):
    """A bulb at a place in the world; `radius` in metres softens its shadows.

    At intensity 1 a white surface that faces it 1 m away is as bright as white gets at exposure 0.
    """

    kind: Literal["point"] = "point"
    position: Position
    color: Color = (1.0, 1.0, 1.0)
    intensity: Strength = 1.0
    shadow: bool = True
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.0


class SpotLight(Plain):
    """A point light that shines along `direction` in a cone.

    `angle` is from the axis to where it ends, in radians; the last `blend` of it fades.
    """

    kind: Literal["spot"] = "spot"
    position: Position
    direction: Direction = (0.0, 0.0, -1.0)
    angle: Annotated[float, Field(gt=0, le=0.45 * pi)] = 0.6
    blend: Fraction = 0.2
    color: Color = (1.0, 1.0, 1.0)
    intensity: Strength = 1.0
    shadow: bool = True
    radius: Annotated[float, Field(ge=0, le=0.5)] = 0.0


Light = Annotated[DirectionalLight | PointLight | SpotLight, Field(discriminator="kind")]


class SolidBackground(Plain):
    """One colour wherever there is nothing."""

    kind: Literal["solid"] = "solid"
    color: Color = (1.0, 1.0, 1.0)


class GradientBackground(Plain):
    """From `top` above through `horizon` to `bottom` below, by the height of the ray's direction."""

    kind: Literal["gradient"] = "gradient"
    top: Color = (0.35, 0.55, 0.85)
    horizon: Color = (0.9, 0.93, 0.96)
    bottom: Color = (0.3, 0.28, 0.26)


class TextureBackground(Plain):
    """A panorama: a texture of which the x axis goes once about z, and the y axis from above to below.

    `color` is what a material's colour is to a texture; the texture's `size` is not used.
    """

    kind: Literal["texture"] = "texture"
    texture: Texture
    color: Color = (1.0, 1.0, 1.0)


class PanoramaBackground(Plain):
    """A panorama that is made of a seed: a hall, the open air or a studio, blurred as what is far behind is."""

    kind: Literal["panorama"] = "panorama"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


Background = Annotated[
    SolidBackground | GradientBackground | TextureBackground | PanoramaBackground, Field(discriminator="kind")
]
