"""What surfaces look like: their factors, and the materials that are drawn."""

from typing import get_args

from simworld.building.draws import Draws
from simworld.building.factor import SEEDS, Factor, color, name, number, whole
from simworld.geometry import Vec3
from simworld.scene.material import Family, Material, ProceduralTexture

HELD_OUT: tuple[str, ...] = ("tartan", "weave", "brick", "planks", "herringbone", "hexagons")
"""Patterns of test sets, which presets for training never draw."""
TEXTURES: tuple[str, ...] = ("none", *(family for family in get_args(Family) if family not in HELD_OUT))
"""What those presets draw."""


def surface(prefix: str, own: Vec3, *items: str) -> dict[str, Factor]:
    """The factors of the material of a surface whose nominal colour is `own`."""
    return {
        f"{prefix}.color": color(*own, "its colour", *items),
        f"{prefix}.texture": name(
            "none", (*TEXTURES, *HELD_OUT), "pattern between its colour and the texture's", *items
        ),
        f"{prefix}.texture.color": color(1.0, 1.0, 1.0, "the other colour of the pattern", *items),
        f"{prefix}.texture.size": number(0.1, 0.005, 5.0, "m", "after which the pattern repeats", *items),
        f"{prefix}.texture.seed": whole(0, 0, SEEDS, "which pattern of its family", *items),
        f"{prefix}.roughness": number(0.6, 0.0, 1.0, "", "0 is a mirror", *items),
        f"{prefix}.metallic": number(0.0, 0.0, 1.0, "", "1 is a metal", *items),
    }


def draw_material(draw: Draws, surface: str, item: int | str | None = None) -> Material:
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
