"""Appearance: colours, textures and materials of every surface, and what is behind everything."""

from collections.abc import Mapping
from typing import get_args

from simworld.building.factor import OBJECTS, SEEDS, Factor, color, name, number, whole
from simworld.geometry import Vec3
from simworld.scene.material import Family

TEXTURES: tuple[str, ...] = ("none", *get_args(Family))


def _surface(prefix: str, own: Vec3, *items: str) -> dict[str, Factor]:
    """The factors of the material of a surface whose nominal colour is `own`."""
    return {
        f"{prefix}.color": color(*own, "its colour", *items),
        f"{prefix}.texture": name("none", TEXTURES, "pattern between its colour and the texture's", *items),
        f"{prefix}.texture.color": color(1.0, 1.0, 1.0, "the other colour of the pattern", *items),
        f"{prefix}.texture.size": number(0.1, 0.005, 5.0, "m", "after which the pattern repeats", *items),
        f"{prefix}.texture.seed": whole(0, 0, SEEDS, "which pattern of its family", *items),
        f"{prefix}.roughness": number(0.6, 0.0, 1.0, "", "0 is a mirror", *items),
        f"{prefix}.metallic": number(0.0, 0.0, 1.0, "", "1 is a metal", *items),
    }


FACTORS: Mapping[str, Factor] = {
    **_surface("objects.*", (0.85, 0.2, 0.16), *OBJECTS),
    **_surface("box", (0.22, 0.42, 0.68)),
    **_surface("table", (0.72, 0.62, 0.5)),
    **_surface("floor", (0.45, 0.46, 0.48)),
    "robot.painted": whole(0, 0, 1, "1 where the robot has the material of these factors, 0 its own"),
    **_surface("robot", (0.93, 0.93, 0.92)),
    "background.kind": name("solid", ("solid", "gradient", "texture"), "what is behind everything"),
    "background.color": color(1.0, 1.0, 1.0, "of a solid background; the upper one of a gradient"),
    "background.horizon": color(0.9, 0.93, 0.96, "the middle one of a gradient; the other one of a texture"),
    "background.bottom": color(0.3, 0.28, 0.26, "the lower one of a gradient"),
    "background.texture": name("noise", TEXTURES[1:], "pattern of a panorama"),
    "background.seed": whole(0, 0, SEEDS, "which pattern of its family"),
}
