"""Bins: open boxes on the table that things are put into."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

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

# The largest footprint about a bin is 0.162 m: within these bounds it is on the table and clear of the robot's base.
_X, _Y = (-0.3, 0.088), (-0.288, 0.288)


@dataclass(frozen=True)
class Bin(Entity):
    """An open box called `name`, nominally with its middle at `place` on the table."""

    kind: ClassVar[str] = "bin"
    stem: ClassVar[str] = "boxes"
    rank: ClassVar[int] = 2

    name: Word = "box"
    place: tuple[float, float] = (0.0, 0.22)

    @property
    def count(self) -> tuple[int, int]:
        return 1, 1

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return (self.name,)

    def factors(self, setting: Setting) -> Families:
        items = setting.own
        x, y = self.place
        return {
            "physics": touch("boxes.*", 0.5, 0.0, *items),
            "geometry": {
                "boxes.*.position.x": number(x, *_X, "m", "place on the table", *items),
                "boxes.*.position.y": number(y, *_Y, "m", "place on the table", *items),
                "boxes.*.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z", *items),
                "boxes.*.width": number(0.16, 0.08, 0.2, "m", "free width along x", *items),
                "boxes.*.depth": number(0.16, 0.08, 0.2, "m", "free width along y", *items),
                "boxes.*.height": number(0.06, 0.01, 0.15, "m", "height of the walls above the floor", *items),
                "boxes.*.wall": number(0.008, 0.002, 0.014, "m", "thickness of the walls and of the floor", *items),
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
