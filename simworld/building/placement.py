"""Places for the objects and the goal, by rejection."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

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
_AHEAD = 32
"""Places that are drawn at once, at first."""

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
    streams = [(draw.several(_PLACE[0], i), draw.several(_PLACE[1], i)) for i in numbers]
    search = _Search(streams, shapes, bins)
    places = search(CLEARANCE) or search(CROWDED)
    if places is None:
        raise _misfit(numbers, bins, search.most)
    for several, place in zip(streams, places, strict=True):
        for one, value in zip(several, place, strict=True):
            draw.keep(one, value)
    return places


def _of_each(addresses: tuple[str, ...], items: Iterable[int]) -> list[Which]:
    return [(address, i) for i in items for address in addresses]


def _misfit(numbers: list[int], bins: list[Body], most: int) -> Unreal:
    """What is raised where there is no room for all."""
    why = (
        f"no free place on the table for {len(numbers)} objects, {most} at most: ask for fewer (objects.count) or "
        "smaller ones, or for other places (objects.*.position"
    )
    shapes, boxes = _of_each(_SHAPE, numbers), _of_each(_BIN, range(len(bins)))
    return Unreal("objects", f"{why}{', boxes.*.position' if bins else ''})", [*shapes, *boxes], [_COUNT])


_Streams = list[tuple[Several, Several]]


class _Search:
    """The search on the table for places of some footprints; `most` is how many were placed in it so far."""

    def __init__(self, streams: _Streams, shapes: list[tuple[Disc, ...]], bins: list[Body]) -> None:
        self._streams = streams
        self._discs = np.array([disc for shape in shapes for disc in shape])
        self._first = np.cumsum([0, *map(len, shapes)])
        self._boxes = np.array([_rectangle(box) for box in bins]).reshape(-1, 6)
        self._tries = len(streams) if all(one.is_fixed for several in streams for one in several) else MAX_TRIES
        self.most = 0

    def __call__(self, between: float) -> _Places | None:
        """A place for each, so many metres from others, where they are found."""
        from simworld.building.free_places import find_free  # compiled loops, which descriptions do without

        rules = np.array([*TABLE[0], *TABLE[1], CLEARANCE, between, HAND_CLEARANCE])
        drawn, ahead = np.zeros(len(self._streams), dtype=np.int64), _AHEAD
        places = np.zeros((len(drawn), 2))
        while True:
            values = np.array([[one.numbers(ahead) for one in several] for several in self._streams])
            placed, most, lacks = find_free(
                values, drawn, self._discs, self._first, self._boxes, rules, self._tries, places
            )
            self.most = max(self.most, most)
            if not lacks:
                break
            if drawn[placed] < ahead:  # not allowed, which this says
                for several in self._streams[placed]:
                    several.take(drawn[placed] + 1)
            ahead *= 16
        tried = zip(self._streams, drawn.tolist(), strict=True)
        taken = [(x.take(count), y.take(count)) for (x, y), count in tried if count]
        return taken if placed == len(drawn) else None


def check_apart(box: Body, number: int, others: list[Body]) -> None:
    """Raise Unreal for a bin that overlaps one of those before it."""
    from simworld.building.free_places import distance_to_box

    for other in others:
        corners = [(*corner, other) for corner in _corners(box)] + [(*corner, box) for corner in _corners(other)]
        middles = [(*box.position[:2], other), (*other.position[:2], box)]
        if min(distance_to_box(x, y, *_rectangle(bin)) for x, y, bin in (*corners, *middles)) < APART:
            place = [("boxes.*.position.x", number), ("boxes.*.position.y", number)]
            why = f"the bins {other.name!r} and {box.name!r} overlap: ask for other places (boxes.{number}.position.*)"
            raise Unreal(f"boxes.{number}", why, place, [("boxes.*.yaw", number), *_of_each(_BIN, [number])])


def _corners(box: Body) -> list[tuple[float, float]]:
    """The corners (x, y) of a bin's floor."""
    x, y, c, s, width, depth = _rectangle(box)
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    return [(x + c * a * width - s * b * depth, y + s * a * width + c * b * depth) for a, b in signs]


def _rectangle(box: Body) -> tuple[float, float, float, float, float, float]:
    """Where a bin's floor is: x, y, cosine and sine of its yaw, and half extents."""
    floor = box.parts[0].shape
    assert isinstance(floor, Box)
    yaw = 2 * math.atan2(box.orientation[2], box.orientation[3])
    return *box.position[:2], math.cos(yaw), math.sin(yaw), *floor.half_extents[:2]


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
