"""A cloth on the table, which is only seen."""

import math
from dataclasses import dataclass
from math import pi
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number, whole
from simworld.building.looks import draw_material, surface
from simworld.geometry import quat_from_yaw
from simworld.scene.ground import table_of, top_of
from simworld.scene.model import Box, Part, Scenery
from simworld.scene.shapes import half_extents

_THIN = 0.0004
"""Half of its thickness in metres: things stand on the table, and so little of them is hidden."""


@dataclass(frozen=True)
class Cloth(Entity):
    """A cloth or a mat, on whatever table there is, as large as it has room on it."""

    kind: ClassVar[str] = "cloth"
    rank: ClassVar[int] = 9

    def factors(self, setting: Setting) -> Families:
        free = "of the way from the middle of the table to where it would hang over, along the table's"
        return {
            "appearance": {
                "cloth.there": whole(0, 0, 1, "1 where there is a cloth on the table, which is only seen"),
                "cloth.width": number(0.6, 0.1, 1.1, "m", "along its x, where it has room"),
                "cloth.depth": number(0.4, 0.1, 0.9, "m", "along its y, where it has room"),
                "cloth.x": number(0.6, -1.0, 1.0, "", f"place: share {free} x"),
                "cloth.y": number(0.0, -1.0, 1.0, "", f"place: share {free} y"),
                "cloth.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z"),
                **surface("cloth", (0.3, 0.45, 0.6)),
            }
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draw, table = draft.draw, table_of(draft.bodies)
        if table is None or not draw("cloth.there"):
            return
        yaw, half = draw("cloth.yaw"), (draw("cloth.width") / 2, draw("cloth.depth") / 2)
        c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
        reach = half[0] * c + half[1] * s, half[0] * s + half[1] * c
        room = half_extents(table.parts[0].shape)[:2]
        fit = min(1.0, *(most / needed for most, needed in zip(room, reach, strict=True)))
        x, y = (
            middle + draw(f"cloth.{axis}") * (most - fit * needed)
            for axis, middle, most, needed in zip("xy", table.position[:2], room, reach, strict=True)
        )
        shape = Box(half_extents=(fit * half[0], fit * half[1], _THIN))
        part = Part(shape=shape, position=(x, y, top_of(table)), orientation=quat_from_yaw(yaw))
        draft.scenery.append(Scenery(parts=(part,), material=draw_material(draw, "cloth")))
