"""The floor, far below the table."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.looks import draw_material, surface
from simworld.building.touch import touch
from simworld.scene.model import Body, Box, Part


@dataclass(frozen=True)
class Floor(Entity):
    """A floor without end, 0.4 m below the table's upper face."""

    kind: ClassVar[str] = "floor"

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("floor",)

    def factors(self, setting: Setting) -> Families:
        return {"physics": touch("floor", 0.5, 0.0), "appearance": surface("floor", (0.45, 0.46, 0.48))}

    def build(self, draft: Draft, setting: Setting) -> None:
        draw = draft.draw
        draft.bodies.append(
            Body(
                name="floor",
                category="floor",
                parts=(Part(shape=Box(half_extents=(2.0, 2.0, 0.05))),),
                position=(0, 0, -0.45),
                endless=True,
                friction=draw("floor.friction"),
                restitution=draw("floor.restitution"),
                material=draw_material(draw, "floor"),
            )
        )
