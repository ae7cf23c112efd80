"""Places for the objects and the goal, by rejection."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from simworld.building.draws import Draws, Several, Unreal
from simworld.building.footprints import Disc
from simworld.building.sources import Which
from simworld.geometry import Vec3
from simworld.scene.model import Body, Box, Part
from simworld.scene.shapes import bounds, footprint_radius, rest_height


class Standing(NamedTuple):
    """An object on the table: its number, where it is, and its parts as they lie there."""

    number: int
    place: Vec3
    parts: tuple[Part, ...]


TABLE = (-0.86, 0.26), (-0.46, 0.46)
"""What things span along x and y at most, in metres: the table, and a centimetre beyond its edge."""
CLEARANCE = 0.06
"""Free metres between the footprints of objects: an open finger fits in."""
CROWDED = 0.01
"""Free metres between those that are only in the way, where there is no room for more."""
APART = 0.01
"""Free metres between two bins."""
HAND_CLEARANCE = 0.08
"""Free metres between an object's footprint and the box: half a hand fits in."""
GOAL_DISTANCE = 0.06
"""Least metres between a goal and the object at the start."""
GOAL_HEADROOM = 0.02
"""Free metres between an object at its goal and one below: the fingers reach that far down."""
MAX_TRIES = 4_000
"""Places that are drawn for objects, each time with less room between them."""
MAX_GOALS = 1_000

_ORIENTATION = "objects.*.orientation"
_SHAPE = (
    *("objects.*.kind", "objects.*.width", "objects.*.depth", "objects.*.height", _ORIENTATION),
    *(f"objects.*.stretch.{axis}" for axis in "xyz"),
)
_PLACE = ("objects.*.position.x", "objects.*.position.y")
_BIN = tuple(f"boxes.*.{what}" for what in ("position.x", "position.y", "yaw", "width", "depth", "wall"))
_GOAL = tuple(f"goal.position.{axis}" for axis in "xyz")
_COUNT: Which = ("objects.count", None)

_Places = list[tuple[float, float]]


def object_places(draw: Draws, numbers: list[int], shapes: list[tuple[Disc, ...]], bins: list[Body]) -> _Places:
    """Places on the table for the footprints of some objects; all are drawn again when the last does not fit.

    Where that does not help, those that are only in the way stand closer together.
    """
    room = _Room(numbers, shapes, bins)
    streams = [(draw.several(_PLACE[0], i), draw.several(_PLACE[1], i)) for i in numbers]
    places = _free_places(room, streams)
    if places is None:
        room.between = CROWDED
        places = _free_places(room, streams)
    if places is None:
        raise room.misfit()
    for several, place in zip(streams, places, strict=True):
        for one, value in zip(several, place, strict=True):
            draw.keep(one, value)
    return places


def _of_each(addresses: tuple[str, ...], items: Iterable[int]) -> list[Which]:
    return [(address, i) for i in items for address in addresses]


class _Room:
    """The room on the table for objects of some footprints; `most` is how many were placed in it so far."""

    def __init__(self, numbers: list[int], shapes: list[tuple[Disc, ...]], bins: list[Body]) -> None:
        self._shapes = shapes
        self._numbers, self._bins = numbers, bins
        self.between = CLEARANCE
        self.most = 0

    def is_free(self, x: float, y: float, places: _Places) -> bool:
        """Whether the next object fits at (x, y), beside those that are at `places`."""
        shape = self._shapes[len(places)]
        for i, (px, py) in enumerate(places):
            # The first object is the one that is grasped.
            between = self.between if i else CLEARANCE
            if any(_are_near(x, y, disc, px, py, other, between) for disc in shape for other in self._shapes[i]):
                return False
        return all(self._is_on_table_and_clear(x + dx, y + dy, radius) for dx, dy, radius in shape)

    def _is_on_table_and_clear(self, x: float, y: float, radius: float) -> bool:
        """Whether a disc is on the table and clear of the bins."""
        (left, right), (front, back) = TABLE
        if not (left <= x - radius and x + radius <= right and front <= y - radius and y + radius <= back):
            return False
        return all(_distance_to_box(x, y, box) >= radius + HAND_CLEARANCE for box in self._bins)

    def misfit(self) -> Unreal:
        """What is raised where there is no room for all."""
        count = len(self._shapes)
        why = (
            f"no free place on the table for {count} objects, {self.most} at most: ask for fewer (objects.count) or "
            "smaller ones, or for other places (objects.*.position"
        )
        shapes, bins = _of_each(_SHAPE, self._numbers), _of_each(_BIN, range(len(self._bins)))
        return Unreal("objects", f"{why}{', boxes.*.position' if bins else ''})", [*shapes, *bins], [_COUNT])


def _are_near(x: float, y: float, disc: Disc, px: float, py: float, other: Disc, between: float) -> bool:
    """Whether there are not so many metres between two discs about (x, y) and (px, py)."""
    apart = math.hypot(x + disc.x - px - other.x, y + disc.y - py - other.y)
    return apart < disc.radius + other.radius + between


def _free_places(room: _Room, streams: list[tuple[Several, Several]]) -> _Places | None:
    """A place for each, where they are found."""
    fixed = all(one.is_fixed for several in streams for one in several)
    places: _Places = []
    for tries in range(len(streams) if fixed else MAX_TRIES):
        if len(places) == len(streams):
            break
        draw_x, draw_y = streams[len(places)]
        x, y = draw_x(), draw_y()
        if room.is_free(x, y, places):
            places.append((x, y))
            room.most = max(room.most, len(places))
        elif tries % 50 == 49:
            places.clear()
    return places if len(places) == len(streams) else None


def check_apart(box: Body, number: int, others: list[Body]) -> None:
    """Raise Unreal for a bin that overlaps one of those before it."""
    for other in others:
        corners = [(*corner, other) for corner in _corners(box)] + [(*corner, box) for corner in _corners(other)]
        middles = [(*box.position[:2], other), (*other.position[:2], box)]
        if min(_distance_to_box(*point) for point in (*corners, *middles)) < APART:
            place = [("boxes.*.position.x", number), ("boxes.*.position.y", number)]
            why = f"the bins {other.name!r} and {box.name!r} overlap: ask for other places (boxes.{number}.position.*)"
            raise Unreal(f"boxes.{number}", why, place, [("boxes.*.yaw", number), *_of_each(_BIN, [number])])


def _corners(box: Body) -> list[tuple[float, float]]:
    """The corners (x, y) of a bin's floor."""
    floor = box.parts[0].shape
    assert isinstance(floor, Box)
    width, depth, _ = floor.half_extents
    yaw = 2 * math.atan2(box.orientation[2], box.orientation[3])
    c, s = math.cos(yaw), math.sin(yaw)
    x, y, _ = box.position
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    return [(x + c * a * width - s * b * depth, y + s * a * width + c * b * depth) for a, b in signs]


def _distance_to_box(x: float, y: float, box: Body) -> float:
    floor = box.parts[0].shape
    assert isinstance(floor, Box)
    yaw = 2 * math.atan2(box.orientation[2], box.orientation[3])
    dx, dy = x - box.position[0], y - box.position[1]
    local = (math.cos(yaw) * dx + math.sin(yaw) * dy, -math.sin(yaw) * dx + math.cos(yaw) * dy)
    outside = [max(abs(p) - h, 0.0) for p, h in zip(local, floor.half_extents, strict=False)]
    return math.hypot(*outside)


def place_goal(
    draw: Draws, target: Standing | None, others: list[Standing], on_table: bool, room: float
) -> list[float]:
    """Draw a goal, away from where the objects already are; on the table it is as high as the target is laid.

    The target has `room` there, in metres, to the others.
    """
    streams = [draw.several(address) for address in _GOAL]
    for _ in range(1 if all(several.is_fixed for several in streams) else MAX_GOALS):
        goal = [several() for several in streams]
        if target and on_table:
            goal[2] = target.place[2]
        if not target or _is_free_goal(goal, target, others, room):
            break
    else:
        things = [thing.number for thing in (target, *others) if thing]
        raise Unreal(
            "goal",
            f"no goal at least {GOAL_DISTANCE} m from the object and clear of the others: widen goal.position.* or "
            "objects.*.position, or ask for fewer objects (objects.count)",
            _of_each(_PLACE, things),
            [*_of_each(_SHAPE, things), _COUNT, ("goal.on_table", None)],
        )
    for several, value in zip(streams, goal, strict=True):
        draw.keep(several, value)
    return goal


def _is_free_goal(goal: list[float], target: Standing, others: list[Standing], room: float) -> bool:
    away = math.dist(goal, target.place) >= GOAL_DISTANCE
    return away and all(_is_clear(goal, target, other, room) for other in others)


def _is_clear(goal: list[float], target: Standing, other: Standing, room: float) -> bool:
    """Whether `target` at the goal is above the other one, or beside it."""
    above = goal[2] - rest_height(target.parts) >= other.place[2] + bounds(other.parts)[2] + GOAL_HEADROOM
    beside = math.dist(goal[:2], other.place[:2])
    return above or beside >= footprint_radius(target.parts) + footprint_radius(other.parts) + room
