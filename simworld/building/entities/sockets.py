"""Sockets: blocks that stand still, with a hole for an object."""

import math
from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.draws import Unreal
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number
from simworld.building.looks import draw_material, surface
from simworld.building.placement import HAND_CLEARANCE
from simworld.building.touch import touch
from simworld.distributions.univariate import Uniform
from simworld.scene.model import Body
from simworld.scene.rings import ring
from simworld.scene.shapes import bounds, footprint_radius

_MOST_PLACES = 1_000
_PLACE = ("socket.position.x", "socket.position.y")


@dataclass(frozen=True)
class Socket(Entity):
    """A ring on the table whose hole is as wide as the object called `of`, and the clearance more, and goes through."""

    kind: ClassVar[str] = "socket"
    rank: ClassVar[int] = 4

    of: str = "object"

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("socket",)

    def factors(self, setting: Setting) -> Families:
        x, y = Uniform(-0.1, 0.1), Uniform(-0.15, 0.15)
        return {
            "physics": touch("socket", 0.3, 0.0),
            "geometry": {
                "socket.clearance": number(0.001, 0.0002, 0.02, "m", "width of the hole beyond that of the object"),
                "socket.height": number(0.03, 0.01, 0.06, "m", "height of the block, and depth of its hole"),
                "socket.wall": number(0.02, 0.005, 0.03, "m", "thickness of the block about its hole"),
                "socket.position.x": number(x, -0.3, 0.185, "m", "place on the table"),
                "socket.position.y": number(y, -0.3, 0.3, "m", "place on the table"),
            },
            "appearance": surface("socket", (0.3, 0.32, 0.36)),
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draw, own = draft.draw, draft.standing[self.of]
        hole = 2 * max(bounds(own.parts)[:2]) + draw("socket.clearance")
        parts = ring(hole, draw("socket.wall"), draw("socket.height"))
        x, y = self._place(draft, footprint_radius(parts))
        draft.bodies.append(
            Body(
                name="socket",
                category="socket",
                parts=parts,
                position=(x, y, 0.0),
                friction=draw("socket.friction"),
                restitution=draw("socket.restitution"),
                material=draw_material(draw, "socket"),
            )
        )

    def _place(self, draft: Draft, radius: float) -> list[float]:
        """A place that is clear of the objects."""
        streams = [draft.draw.several(address) for address in _PLACE]
        away = [(one.place, radius + footprint_radius(one.parts) + HAND_CLEARANCE) for one in draft.standing.values()]
        for _ in range(1 if all(several.is_fixed for several in streams) else _MOST_PLACES):
            place = [several() for several in streams]
            if all(math.dist(place, other[:2]) >= least for other, least in away):
                break
        else:
            things = [(f"objects.*.position.{axis}", one.number) for one in draft.standing.values() for axis in "xy"]
            why = "no place for the socket that is clear of the objects: widen socket.position.* or objects.*.position"
            raise Unreal("socket", why, [*((address, None) for address in _PLACE), *things])
        for several, value in zip(streams, place, strict=True):
            draft.draw.keep(several, value)
        return place
