"""Bins: open boxes on the table that things are put into."""

import math
from dataclasses import dataclass
from math import pi
from typing import Annotated, ClassVar

from pydantic import Field

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number
from simworld.building.looks import draw_material, surface
from simworld.building.placement import check_apart
from simworld.building.touch import touch
from simworld.geometry import quat_from_yaw
from simworld.plain import Word
from simworld.scene.model import Body
from simworld.scene.shapes import open_box

_X, _Y = (-0.462, 0.25), (-0.45, 0.45)
"""Metres within which all of a bin is: on the table and clear of the robot's base."""
_THICKEST = 0.014


@dataclass(frozen=True)
class Bin(Entity):
    """An open box called `name`, nominally with its middle at `place` on the table, and at `most` as wide and deep."""

    kind: ClassVar[str] = "bin"
    stem: ClassVar[str] = "boxes"
    rank: ClassVar[int] = 2

    name: Word = "box"
    place: tuple[float, float] = (0.0, 0.22)
    most: Annotated[float, Field(ge=0.16, le=0.25)] = 0.2

    @property
    def count(self) -> tuple[int, int]:
        return 1, 1

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return (self.name,)

    def factors(self, setting: Setting) -> Families:
        items = setting.own
        x, y = self.place
        # The largest footprint about it.
        radius = round(math.hypot(*[self.most / 2 + _THICKEST] * 2), 3) + 0.001
        least_x, most_x, least_y, most_y = (
            round(end + sign * radius, 3) for end, sign in ((_X[0], 1), (_X[1], -1), (_Y[0], 1), (_Y[1], -1))
        )
        return {
            "physics": touch("boxes.*", 0.5, 0.0, *items),
            "geometry": {
                "boxes.*.position.x": number(x, least_x, most_x, "m", "place on the table", *items),
                "boxes.*.position.y": number(y, least_y, most_y, "m", "place on the table", *items),
                "boxes.*.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z", *items),
                "boxes.*.width": number(0.16, 0.08, self.most, "m", "free width along x", *items),
                "boxes.*.depth": number(0.16, 0.08, self.most, "m", "free width along y", *items),
                "boxes.*.height": number(0.06, 0.01, 0.15, "m", "height of the walls above the floor", *items),
                "boxes.*.wall": number(0.008, 0.002, _THICKEST, "m", "thickness of the walls and of the floor", *items),
            },
            "appearance": surface("boxes.*", (0.22, 0.42, 0.68), *items),
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        (item,) = setting.own
        draw = draft.draw
        inner = draw("boxes.*.width", item), draw("boxes.*.depth", item), draw("boxes.*.height", item)
        wall = draw("boxes.*.wall", item)
        made = Body(
            name=self.name,
            category="box",
            parts=open_box(inner, wall),
            position=(draw("boxes.*.position.x", item), draw("boxes.*.position.y", item), wall),
            orientation=quat_from_yaw(draw("boxes.*.yaw", item)),
            friction=draw("boxes.*.friction", item),
            container=True,
            restitution=draw("boxes.*.restitution", item),
            material=draw_material(draw, "boxes.*", item),
        )
        check_apart(made, int(item), draft.bins)
        draft.bodies.append(made)
        draft.bins.append(made)
