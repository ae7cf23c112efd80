"""The table: its upper face is the plane z = 0 of the world."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number
from simworld.building.looks import draw_material, surface
from simworld.building.touch import touch
from simworld.errors import ConfigurationError
from simworld.geometry import Vec3, quat_from_euler, quat_to_matrix
from simworld.scene.model import Body, Box, Part

_BACK, _NEAREST, _FARTHEST = -0.85, 0.25, 1.5
"""Metres along x: the edge behind the robot, and where the other one may be."""
_TILT = "of the table and all on it: gravity turns the other way"


@dataclass(frozen=True)
class Table(Entity):
    """A table that spans x -0.85..`far` and y -0.45..0.45, with gravity as it is in the table's frame."""

    kind: ClassVar[str] = "table"
    rank: ClassVar[int] = 1

    far: float = 0.25

    def check(self) -> None:
        if not _NEAREST <= self.far <= _FARTHEST:
            raise ConfigurationError(f"table: far must be {_NEAREST} to {_FARTHEST} m, got {self.far}")

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("table",)

    def factors(self, setting: Setting) -> Families:
        return {
            "physics": touch("table", 1.0, 1.0) | {"gravity": number(9.81, 0.0, 20.0, "m/s2", "acceleration")},
            "geometry": {
                "table.height": number(0.0, -0.05, 0.05, "m", "above the foot of the robot"),
                "table.tilt.x": number(0.0, -0.2, 0.2, "rad", f"about x, {_TILT}"),
                "table.tilt.y": number(0.0, -0.2, 0.2, "rad", f"about y, {_TILT}"),
            },
            "appearance": surface("table", (0.72, 0.62, 0.5)),
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draw = draft.draw
        draft.bodies.append(
            Body(
                name="table",
                category="table",
                parts=(Part(shape=Box(half_extents=((self.far - _BACK) / 2, 0.45, 0.2))),),
                position=((self.far + _BACK) / 2, 0.0, -0.2),
                friction=draw("table.friction"),
                restitution=draw("table.restitution"),
                material=draw_material(draw, "table"),
            )
        )
        draft.table_height = draw("table.height")
        draft.gravity = _gravity(draw("gravity"), draw("table.tilt.x"), draw("table.tilt.y"))


def _gravity(strength: float, x: float, y: float) -> Vec3:
    """Gravity in the table's frame: what tilts is the table, with all that stands on it."""
    if x == y == 0:
        return (0.0, 0.0, -strength)
    right, ahead, up = (-strength * quat_to_matrix(quat_from_euler(x, y, 0.0))[2]).tolist()
    return (right, ahead, up)
