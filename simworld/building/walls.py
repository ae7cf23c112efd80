"""Rooms as shapes: walls with windows and doors, a ceiling with lamps, and furniture along the walls."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simworld.building.furniture import FURNITURE, ON_WALLS, SLOT, Furnishing, Pieces, ball, block, placed, post
from simworld.geometry import quat_from_yaw
from simworld.streams import Generator

_THICK = 0.1
"""Metres from the inner face of a wall to the outer one."""
_LIP = 0.05


class Layout(NamedTuple):
    """A room: half its size along its x and y, its height, and how many windows and pieces of furniture it has."""

    x: float
    y: float
    height: float
    windows: int
    things: int


class _Opening(NamedTuple):
    """A hole in a wall, from one place along it to another, and from one height to another."""

    left: float
    right: float
    low: float
    high: float


def room(layout: Layout, generator: Generator) -> Pieces:
    """All of a room but its floor, whose middle is the origin."""
    lengths = [2 * (layout.x, layout.y)[side % 2] for side in range(4)]
    slots = [(side, place) for side, length in enumerate(lengths) for place in _slots(length)]
    order = [slots[k] for k in generator.permutation(len(slots)).tolist()]
    holes: dict[int, list[_Opening]] = {side: [] for side in range(4)}
    inside: dict[int, Pieces] = {side: [] for side in range(4)}
    for k, (side, place) in enumerate(order):
        if k < layout.windows:
            hole = _window_hole(generator, place, layout.height)
            holes[side].append(hole)
            inside[side] += _window(generator, hole)
        elif k == layout.windows:
            inside[side] += _moved(_door(generator), place)
        elif k <= layout.windows + layout.things:
            piece = list(FURNITURE.values())[int(generator.integers(len(FURNITURE)))]
            inside[side] += _moved(piece(generator), place)
        elif generator.random() < 0.4:
            inside[side] += _moved(list(ON_WALLS.values())[int(generator.random() < 0.2)](generator), place)
    made = _ceiling(layout, generator)
    for side, length in enumerate(lengths):
        wall = _wall(length, layout.height, sorted(holes[side])) + inside[side]
        away = (layout.y, layout.x)[side % 2]
        turn = quat_from_yaw(side * math.pi / 2)
        x, y = ((0.0, -away), (away, 0.0), (0.0, away), (-away, 0.0))[side]
        made += placed(wall, [x, y, 0.0, *turn])
    return made


def _slots(length: float) -> list[float]:
    """The middles of the places along a wall, clear of the corners."""
    count = max(int((length - 0.9) / SLOT), 1)
    middles: list[float] = ((np.arange(count) + 0.5) / count * (length - 0.9) - (length - 0.9) / 2).tolist()
    return middles


def _moved(pieces: Pieces, along: float) -> Pieces:
    return [Furnishing(look, shape, (pose[0] + along, *pose[1:])) for look, shape, pose in pieces]


def _wall(length: float, height: float, openings: Sequence[_Opening]) -> Pieces:
    """A wall with openings, from left to right: what is between them, below and above."""
    made, begin, y = [], -length / 2 - _THICK, (-_THICK, 0.0)
    for left, right, low, high in openings:
        made.append(block("wall", (begin, left), y, (0.0, height)))
        made += [block("wall", (left, right), y, (0.0, low)), block("wall", (left, right), y, (high, height))]
        begin = right
    made.append(block("wall", (begin, length / 2 + _THICK), y, (0.0, height)))
    made.append(block("trim", (-length / 2, length / 2), (0.0, 0.015), (0.0, 0.08)))
    return made


def _window_hole(generator: Generator, place: float, height: float) -> _Opening:
    half, low = float(generator.uniform(0.35, 0.55)), float(generator.uniform(0.5, 0.9))
    return _Opening(place - half, place + half, low, min(height - 0.2, low + float(generator.uniform(1.0, 1.4))))


def _window(generator: Generator, hole: _Opening) -> Pieces:
    """A frame with bars and a sill, and curtains."""
    left, right, low, high = hole
    y, bar = (-0.07, -0.02), 0.025
    made = [block("trim", (x - bar, x + bar), y, (low, high)) for x in (left + bar, (left + right) / 2, right - bar)]
    made += [block("trim", (left, right), y, (z - bar, z + bar)) for z in (low + bar, high - bar)]
    made.append(block("trim", (left - _LIP, right + _LIP), (-0.02, 0.12), (low - 0.03, low)))
    if generator.random() < 0.5:
        look = ("accent", "second", "white")[int(generator.integers(3))]
        fall = max(low - 0.3, 0.05)
        made += [block(look, (x - 0.1, x + 0.1), (0.03, 0.07), (fall, high + 0.06)) for x in (left, right)]
    return made


def _door(generator: Generator) -> Pieces:
    look, half, high = ("wood", "white", "accent")[int(generator.integers(3))], 0.42, 2.0
    frame = [
        block("trim", (s * (half + 0.03) - 0.03, s * (half + 0.03) + 0.03), (0.0, 0.03), (0.0, high)) for s in (-1, 1)
    ]
    frame.append(block("trim", (-half - 0.06, half + 0.06), (0.0, 0.03), (high, high + 0.06)))
    panels = [block(look, (-half + 0.1, half - 0.1), (0.02, 0.03), z) for z in ((0.15, 0.95), (1.1, 1.85))]
    return [*frame, block(look, (-half, half), (0.0, 0.02), (0.0, high)), *panels, ball("metal", 0.34, 0.05, 1.0, 0.03)]


def _ceiling(layout: Layout, generator: Generator) -> Pieces:
    x, y, z = layout.x, layout.y, layout.height
    made = [block("ceiling", (-x - _THICK, x + _THICK), (-y - _THICK, y + _THICK), (z, z + _THICK))]
    kind = int(generator.integers(3))
    for place in (-0.4, 0.4):
        if kind == 0:
            made.append(post("lamp", place * x, 0.0, (z - 0.06, z), 0.18))
        elif kind == 1:
            made.append(block("lamp", (place * x - 0.6, place * x + 0.6), (-0.1, 0.1), (z - 0.05, z)))
    if kind == 2:
        made += [post("metal", 0.0, 0.0, (z - 0.35, z), 0.01), ball("lamp", 0.0, 0.0, z - 0.45, 0.14)]
    return made
