"""Materials and textures: what a surface looks like."""

from typing import Annotated, Literal

from pydantic import Field

from simworld.plain import Color, Fraction, Plain, Positive

Family = Literal[
    "checker",
    "stripes",
    "noise",
    "gradient",
    "wood",
    "marble",
    "speckle",
    "tartan",
    "weave",
    "brick",
    "planks",
    "herringbone",
    "hexagons",
]


class ProceduralTexture(Plain):
    """A pattern made from a seed, between the material's colour and `color`; it repeats every `size` metres."""

    kind: Literal["procedural"] = "procedural"
    family: Family
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    color: Color = (1.0, 1.0, 1.0)
    size: Positive = 0.2


class ImageTexture(Plain):
    """An image file, times the material's colour; it repeats every `size` metres.

    With `sha256` (hexadecimal) the file must have that digest, so that the same Scene stays the same picture.
    """

    kind: Literal["image"] = "image"
    file: str
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    size: Positive = 0.2


Texture = Annotated[ProceduralTexture | ImageTexture, Field(discriminator="kind")]


class Material(Plain):
    """A microfacet surface: GGX with Disney's parameters (Burley 2012).

    `color` is sRGB; `roughness` 0 is a mirror; `metallic` 1 reflects in its own colour and has no diffuse part;
    `specular` 0.5 is the 4% that common dielectrics reflect at normal incidence, and 0 with `metallic` 0 is purely
    diffuse (Lambert). Textures are projected along the axis of the surface's frame that each face looks along most.
    """

    color: Color = (0.7, 0.7, 0.7)
    roughness: Fraction = 0.6
    metallic: Fraction = 0.0
    specular: Fraction = 0.5
    texture: Texture | None = None
