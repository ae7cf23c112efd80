"""Places for the objects and the goal, by rejection."""

import math

from simworld.errors import PlacementError
from simworld.geometry import Vec3
from simworld.randomization.draws import Draws
from simworld.scene.model import Body, Box, Part
from simworld.scene.shapes import bounds, footprint_radius, rest_height, turned

CLEARANCE = 0.06
"""Free metres between the footprints of objects: an open finger fits in."""
HAND_CLEARANCE = 0.08
"""Free metres between an object's footprint and the box: half a hand fits in."""
GOAL_DISTANCE = 0.06
"""Least metres between a goal and the object at the start."""
GOAL_HEADROOM = 0.02
"""Free metres between an object at its goal and one below: the fingers reach that far down."""
MAX_TRIES = 10_000

_Stand = tuple[Vec3, tuple[Part, ...]]
"""Where an object is, and its parts as they lie there."""


def object_places(draw: Draws, shapes: list[tuple[Part, ...]], box: Body | None) -> list[tuple[float, float]]:
    """Places on the table for shapes as they lie, by rejection; all are drawn again when the last no longer fits."""
    radii = [footprint_radius(shape) for shape in shapes]
    streams = [
        (draw.stream("objects.*.position.x", i), draw.stream("objects.*.position.y", i)) for i in range(len(radii))
    ]
    places: list[tuple[float, float]] = []
    for tries in range(MAX_TRIES):
        if len(places) == len(radii):
            break
        i = len(places)
        x, y = (draw.again(f"objects.*.position.{a}", i, g) for a, g in zip("xy", streams[i], strict=True))
        if _is_free(x, y, radii[i], places, radii, box):
            places.append((x, y))
        elif tries % 50 == 49:
            places.clear()
    else:
        raise PlacementError(
            f"no free place on the table for {len(radii)} objects after {MAX_TRIES} tries: ask for fewer or smaller "
            "objects, or a larger range of objects.*.position"
        )
    for i, (x, y) in enumerate(places):
        draw.values |= {f"objects.{i}.position.x": x, f"objects.{i}.position.y": y}
    return places


def _is_free(
    x: float, y: float, radius: float, places: list[tuple[float, float]], radii: list[float], box: Body | None
) -> bool:
    apart = all(
        math.hypot(x - px, y - py) >= radius + r + CLEARANCE for (px, py), r in zip(places, radii, strict=False)
    )
    return apart and (box is None or _distance_to_box(x, y, box) >= radius + HAND_CLEARANCE)


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
    addresses = [f"goal.position.{axis}" for axis in "xyz"]
    streams = [draw.stream(address) for address in addresses]
    objects = [body for body in bodies if body.name.startswith("object")]
    laid = [draw.values[f"objects.{i}.orientation"] for i in range(len(objects))]
    stands = [(body.position, turned(body.parts, how)) for body, how in zip(objects, laid, strict=True)]
    for _ in range(MAX_TRIES):
        goal = [draw.again(a, None, g) for a, g in zip(addresses, streams, strict=True)]
        if objects and on_table:
            goal[2] = objects[0].position[2]
        if not objects or _is_free_goal(goal, *stands):
            break
    else:
        raise PlacementError(
            f"no goal at least {GOAL_DISTANCE} m from the object and clear of the others: widen goal.position.*"
        )
    draw.values |= dict(zip(addresses, goal, strict=True))


def _is_free_goal(goal: list[float], target: _Stand, *others: _Stand) -> bool:
    place, parts = target
    return math.dist(goal, place) >= GOAL_DISTANCE and all(_is_clear(goal, parts, *other) for other in others)


def _is_clear(goal: list[float], target: tuple[Part, ...], place: Vec3, other: tuple[Part, ...]) -> bool:
    """Whether `target` at the goal is above the other one, which is at `place`, or beside it."""
    above = goal[2] - rest_height(target) >= place[2] + bounds(other)[2] + GOAL_HEADROOM
    return above or math.dist(goal[:2], place[:2]) >= footprint_radius(target) + footprint_radius(other)
