"""What is drawn of the looks of a scene: materials, and what is behind everything."""

from simworld.building.draws import Draws
from simworld.scene.light import Background, GradientBackground, SolidBackground, TextureBackground
from simworld.scene.material import Material, ProceduralTexture


def draw_material(draw: Draws, surface: str, item: int | None = None) -> Material:
    """The material of a surface; `item` replaces the `*` in its name."""
    prefix = f"{surface}.texture"
    family = draw(prefix, item)
    texture = None
    if family != "none":
        texture = ProceduralTexture(
            family=family,
            color=draw(f"{prefix}.color", item),
            size=draw(f"{prefix}.size", item),
            seed=draw(f"{prefix}.seed", item),
        )
    return Material(
        color=draw(f"{surface}.color", item),
        roughness=draw(f"{surface}.roughness", item),
        metallic=draw(f"{surface}.metallic", item),
        texture=texture,
    )


def draw_background(draw: Draws) -> Background:
    """What is behind everything."""
    kind, color = draw("background.kind"), draw("background.color")
    if kind == "solid":
        return SolidBackground(color=color)
    horizon = draw("background.horizon")
    if kind == "gradient":
        return GradientBackground(top=color, horizon=horizon, bottom=draw("background.bottom"))
    texture = ProceduralTexture(family=draw("background.texture"), color=horizon, seed=draw("background.seed"))
    return TextureBackground(texture=texture, color=color)
