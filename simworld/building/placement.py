"""Places for the objects and the goal, by rejection."""

import math

from simworld.building.draws import Draws, Several, Unreal, Which
from simworld.geometry import Vec3
from simworld.scene.model import Body, Box, Part
from simworld.scene.shapes import bounds, footprint_radius, rest_height, turned

CLEARANCE = 0.06
"""Free metres between the footprints of objects: an open finger fits in."""
CROWDED = 0.01
"""Free metres between those that are only in the way, where there is no room for more."""
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
_BOX = tuple(f"box.{what}" for what in ("position.x", "position.y", "yaw", "width", "depth", "wall"))
_GOAL = tuple(f"goal.position.{axis}" for axis in "xyz")
_COUNT: Which = ("objects.count", None)

_Stand = tuple[Vec3, tuple[Part, ...]]
"""Where an object is, and its parts as they lie there."""
_Places = list[tuple[float, float]]


def object_places(draw: Draws, shapes: list[tuple[Part, ...]], box: Body | None) -> _Places:
    """Places on the table for shapes as they lie, by rejection; all are drawn again when the last no longer fits.

    Where that does not help, those that are only in the way stand closer together.
    """
    room = _Room(shapes, box)
    streams = [(draw.several(_PLACE[0], i), draw.several(_PLACE[1], i)) for i in range(len(shapes))]
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


def _of_each(addresses: tuple[str, ...], count: int) -> list[Which]:
    return [(address, i) for i in range(count) for address in addresses]


class _Room:
    """The room on the table for objects of some shapes; `most` is how many were placed in it so far."""

    def __init__(self, shapes: list[tuple[Part, ...]], box: Body | None) -> None:
        self.radii = [footprint_radius(shape) for shape in shapes]
        self._box = box
        self.between = CLEARANCE
        self.most = 0

    def is_free(self, x: float, y: float, places: _Places) -> bool:
        """Whether the next object fits at (x, y), beside those that are at `places`."""
        radius = self.radii[len(places)]
        for i, (px, py) in enumerate(places):
            # The first object is the one that is grasped.
            if math.hypot(x - px, y - py) < radius + self.radii[i] + (self.between if i else CLEARANCE):
                return False
        return self._box is None or _distance_to_box(x, y, self._box) >= radius + HAND_CLEARANCE

    def misfit(self) -> Unreal:
        """What is raised where there is no room for all."""
        count = len(self.radii)
        why = (
            f"no free place on the table for {count} objects, {self.most} at most: ask for fewer (objects.count) or "
            "smaller ones, or for other places (objects.*.position"
        )
        if self._box is None:
            return Unreal("objects", f"{why})", _of_each(_SHAPE, count), [_COUNT])
        box = [(address, None) for address in _BOX]
        return Unreal("objects", f"{why}, box.position)", [*_of_each(_SHAPE, count), *box], [_COUNT])


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


def _distance_to_box(x: float, y: float, box: Body) -> float:
    floor = box.parts[0].shape
    assert isinstance(floor, Box)
    yaw = 2 * math.atan2(box.orientation[2], box.orientation[3])
    dx, dy = x - box.position[0], y - box.position[1]
    local = (math.cos(yaw) * dx + math.sin(yaw) * dy, -math.sin(yaw) * dx + math.cos(yaw) * dy)
    outside = [max(abs(p) - h, 0.0) for p, h in zip(local, floor.half_extents, strict=False)]
    return math.hypot(*outside)


def draw_goal(draw: Draws, bodies: list[Body]) -> None:
    """Draw a goal, away from where the objects already are; on the table it is as high as the object is laid."""
    on_table = draw("goal.on_table")
    streams = [draw.several(address) for address in _GOAL]
    objects = [body for body in bodies if body.name.startswith("object")]
    laid = [draw.values[f"objects.{i}.orientation"] for i in range(len(objects))]
    stands = [(body.position, turned(body.parts, how)) for body, how in zip(objects, laid, strict=True)]
    for _ in range(1 if all(several.is_fixed for several in streams) else MAX_GOALS):
        goal = [several() for several in streams]
        if objects and on_table:
            goal[2] = objects[0].position[2]
        if not objects or _is_free_goal(goal, *stands):
            break
    else:
        raise Unreal(
            "goal",
            f"no goal at least {GOAL_DISTANCE} m from the object and clear of the others: widen goal.position.* or "
            "objects.*.position, or ask for fewer objects (objects.count)",
            _of_each(_PLACE, len(objects)),
            [*_of_each(_SHAPE, len(objects)), _COUNT, ("goal.on_table", None)],
        )
    for several, value in zip(streams, goal, strict=True):
        draw.keep(several, value)


def _is_free_goal(goal: list[float], target: _Stand, *others: _Stand) -> bool:
    place, parts = target
    return math.dist(goal, place) >= GOAL_DISTANCE and all(_is_clear(goal, parts, *other) for other in others)


def _is_clear(goal: list[float], target: tuple[Part, ...], place: Vec3, other: tuple[Part, ...]) -> bool:
    """Whether `target` at the goal is above the other one, which is at `place`, or beside it."""
    above = goal[2] - rest_height(target) >= place[2] + bounds(other)[2] + GOAL_HEADROOM
    return above or math.dist(goal[:2], place[:2]) >= footprint_radius(target) + footprint_radius(other)
