"""Lamps: how many, of what kind, where, how warm, how strong and how soft."""

import math
from dataclasses import dataclass
from math import pi
from typing import Annotated, ClassVar

from pydantic import Field

from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import name, number, whole
from simworld.building.temperature import color_of_temperature
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.model import MOST_LIGHTS


@dataclass(frozen=True)
class Lamps(Entity):
    """Up to `most` lamps, and light from everywhere."""

    kind: ClassVar[str] = "lamps"
    rank: ClassVar[int] = 6

    most: Annotated[int, Field(ge=0, le=MOST_LIGHTS)] = 4

    def factors(self, setting: Setting) -> Families:
        lamps = tuple(map(str, range(self.most)))
        white = "at 1, white surfaces on the table that face it are white"
        return {
            "light": {
                "lights.count": whole(1, 0, self.most, "lamps"),
                "lights.ambient": number(0.45, 0.0, 5.0, "", "light from everywhere; at 1, white surfaces are white"),
                "lights.*.kind": name(
                    "directional", ("directional", "point", "spot"), "far away, a bulb or a cone", *lamps
                ),
                "lights.*.azimuth": number(-0.9, -2 * pi, 2 * pi, "rad", "direction to it about z, from x", *lamps),
                "lights.*.elevation": number(1.0, 0.1, pi / 2, "rad", "direction to it above the horizon", *lamps),
                "lights.*.distance": number(
                    1.2, 0.6, 5.0, "m", "of bulbs and cones from the middle of the table", *lamps
                ),
                "lights.*.cone": number(0.6, 0.1, 1.2, "rad", "from the axis of a cone to its edge", *lamps),
                "lights.*.intensity": number(0.5, 0.0, 5.0, "", white, *lamps),
                "lights.*.temperature": number(6500.0, 1700.0, 25000.0, "K", "colour; 6500 is white", *lamps),
                "lights.*.softness": number(
                    0.0, 0.0, 0.3, "rad", "its diameter as seen from the table: softens shadows", *lamps
                ),
                "lights.*.shadow": whole(1, 0, 1, "1 where it throws shadows", *lamps),
            }
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draft.lights = tuple(_light(draft.draw, i) for i in range(draft.draw("lights.count")))
        draft.ambient = (draft.draw("lights.ambient"),) * 3


def _light(draw: Draws, i: int) -> Light:
    kind, azimuth, elevation = (draw(f"lights.*.{name}", i) for name in ("kind", "azimuth", "elevation"))
    direction = (
        math.cos(elevation) * math.cos(azimuth),
        math.cos(elevation) * math.sin(azimuth),
        math.sin(elevation),
    )
    intensity, softness = draw("lights.*.intensity", i), draw("lights.*.softness", i)
    color, shadow = color_of_temperature(draw("lights.*.temperature", i)), bool(draw("lights.*.shadow", i))
    if kind == "directional":
        return DirectionalLight(direction=direction, color=color, intensity=intensity, shadow=shadow, angle=softness)
    distance = draw("lights.*.distance", i)
    x, y, z = (distance * d for d in direction)
    # Its strength is that at 1 m, and the radius is half of what it is across.
    strength, radius = intensity * distance * distance, min(0.5 * softness * distance, 0.5)
    if kind == "point":
        return PointLight(position=(x, y, z), color=color, intensity=strength, shadow=shadow, radius=radius)
    return SpotLight(
        position=(x, y, z),
        direction=(-x, -y, -z),
        angle=draw("lights.*.cone", i),
        color=color,
        intensity=strength,
        shadow=shadow,
        radius=radius,
    )
