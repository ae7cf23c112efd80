"""The room around everything, which is only seen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import SEEDS, color, number, whole
from simworld.building.furniture import DEPTH, Pieces, block, part_of, placed
from simworld.building.looks import draw_material, surface
from simworld.building.palette import palette
from simworld.building.walls import Layout, room
from simworld.color import to_linear
from simworld.geometry import Array, Vec3, product, quat_from_yaw
from simworld.scene.ground import floor_of, top_of
from simworld.scene.material import Material
from simworld.scene.model import MOST_PARTS, Scenery
from simworld.streams import Generator

_FLOOR = -0.4
"""Height in metres of the room's floor, where there is none to stand on."""
_REACH = 0.9
"""Metres about the foot of the robot that walls keep clear of."""
_BEHIND = DEPTH + 0.25
"""Metres from cameras, and from what there is, to walls at the least: furniture is between."""
_HEADROOM = 0.3


@dataclass(frozen=True)
class Interior(Entity):
    """A room with windows, doors and furniture along its walls, as far away as cameras need to be inside."""

    kind: ClassVar[str] = "room"
    rank: ClassVar[int] = 9

    def factors(self, setting: Setting) -> Families:
        return {
            "appearance": {
                "room.there": whole(0, 0, 1, "1 where there is a room around everything, which is only seen"),
                "room.width": number(4.5, 3.0, 8.0, "m", "along its x, at the least: cameras are inside"),
                "room.depth": number(4.5, 3.0, 8.0, "m", "along its y, at the least"),
                "room.height": number(2.6, 2.2, 4.0, "m", "from floor to ceiling, at the least"),
                "room.x": number(0.0, -1.0, 1.0, "", "where its middle is: 0 over the table, -1 or 1 far along its x"),
                "room.y": number(0.0, -1.0, 1.0, "", "where its middle is: 0 over the table, -1 or 1 far along its y"),
                "room.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z"),
                "room.seed": whole(0, 0, SEEDS, "which furniture, windows and doors, where, and their colours"),
                "room.windows": whole(1, 0, 6, "windows, through which the background is seen"),
                "room.things": whole(5, 0, 12, "pieces of furniture"),
                "room.tint": number(0.5, 0.0, 1.0, "", "how much of the walls' colour light from everywhere has"),
                "room.ceiling.color": color(0.95, 0.95, 0.93, "its colour"),
                **surface("room.wall", (0.85, 0.83, 0.78)),
            }
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draw = draft.draw
        if not draw("room.there"):
            return
        turn = quat_from_yaw(draw("room.yaw"))
        layout, middle, low = _layout(draft, draw("room.yaw"))
        generator = np.random.default_rng(draw("room.seed"))
        pieces = placed(room(layout, generator), [*middle, low, *turn])
        looks = _looks(draft, generator)
        draft.scenery += _scenery(pieces + _floor(layout, middle, low), looks)
        draft.ambient = _tinted(draft.ambient, looks["wall"], draw("room.tint"))


def _layout(draft: Draft, yaw: float) -> tuple[Layout, tuple[float, float], float]:
    """Size, middle (2,) in the world, and height of the floor of a room that has all of a scene inside."""
    draw = draft.draw
    floor = floor_of(draft.bodies)
    low = top_of(floor) if floor else _FLOOR
    inside = product(_inside(draft), [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    ends = []
    for axis, size, shift in ((0, "room.width", "room.x"), (1, "room.depth", "room.y")):
        half = draw(size) / 2
        needed = inside[:, axis].min() - _BEHIND, inside[:, axis].max() + _BEHIND
        middle = draw(shift) * half / 2
        ends.append((min(middle - half, needed[0]), max(middle + half, needed[1])))
    (left, right), (near, far) = ends
    x, y = (left + right) / 2, (near + far) / 2
    place = x * math.cos(yaw) - y * math.sin(yaw), x * math.sin(yaw) + y * math.cos(yaw)
    highest = max([0.0, *(camera.position[2] for camera in draft.cameras if camera.parent is None)])
    height = max(draw("room.height"), highest + _HEADROOM - low)
    windows, things = draw("room.windows"), draw("room.things")
    return Layout((right - left) / 2, (far - near) / 2, height, windows, things), place, low


def _inside(draft: Draft) -> Array:
    """Places (n, 2) in the world that are in the room."""
    assert draft.robot is not None
    x, y, _ = draft.robot.position
    places = [(x + a * _REACH, y + b * _REACH) for a in (-1, 1) for b in (-1, 1)]
    places += [camera.position[:2] for camera in draft.cameras if camera.parent is None]
    return np.array(places)


def _floor(layout: Layout, middle: tuple[float, float], low: float) -> Pieces:
    """A floor under all of a room, a little below the one that there is, whose pattern it goes on with."""
    reach = math.hypot(*middle) + math.hypot(layout.x, layout.y)
    return [block("floor", (-reach, reach), (-reach, reach), (low - 0.1, low - 0.002))]


def _scenery(pieces: Pieces, looks: Mapping[str, Material]) -> list[Scenery]:
    parts = {look: [part_of(piece) for piece in pieces if piece.look == look] for look in looks}
    return [
        Scenery(parts=tuple(those[k : k + MOST_PARTS]), material=looks[look])
        for look, those in parts.items()
        for k in range(0, len(those), MOST_PARTS)
    ]


def _looks(draft: Draft, generator: Generator) -> dict[str, Material]:
    """The materials of a room, by their names in its pieces."""
    floor = floor_of(draft.bodies)
    return {
        "wall": draw_material(draft.draw, "room.wall"),
        "ceiling": Material(color=draft.draw("room.ceiling.color"), roughness=0.9),
        "floor": floor.material if floor else Material(),
        **palette(generator),
    }


def _tinted(light: Vec3, wall: Material, share: float) -> Vec3:
    """Light from everywhere that has a share of a wall's colour, as bright as before."""
    red, green, blue = to_linear(wall.color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    r, g, b = (part * (1 + share * (c - luminance)) for part, c in zip(light, (red, green, blue), strict=True))
    return (r, g, b)
