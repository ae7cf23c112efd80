"""How the experts find where things that lie in a heap can be taken, and by which way of closing the fingers."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simworld.agents.experts.skills.sight import Sight
from simworld.geometry import Array, quat_to_matrix

_THICK, _BROAD = 0.028, 0.014
"""Metres that a finger is thick, and half as broad as it is."""
_TIP = 0.01
"""Metres that fingertips reach below the tool centre point."""
_ROOM = (0.014, 0.007)
"""Metres between each finger and the thing while they come down: so much, or where that is too much, less."""
_ACROSS = 0.4
"""Of half a thing's size, how far from its middle fingers take it where they have no room at the middle."""
_TO_THE_SIDE = 0.01
"""Metres of free room that a thing's middle is worth, over the part of its size."""
_TURNED, _ASKEW = 0.002, 0.004
"""Metres of free room that the axis of its grip is worth, over the one across, and over the walls'."""
_CLOSE = 0.002
"""Metres between a finger and the thing where it comes down on one side of its room, and draws the thing along."""
_LEAST_HOLD = 0.006
"""Metres of a thing's upper end that the fingers must have between them."""
_MISSED, _NOTHING = (0.04, 0.012), 0.005
"""Metres narrower than before, and than the grip, that fingers are which have closed about nothing; and how far open
they are then at any rate."""
_GIVE_UP = 0.0006
"""Metres that the tool is sent up while fingers close, so that it leaves what they do not get hold of."""
_PRESS, _DRAWN = 0.02, 0.02
"""Metres below a thing's top that fingers are sent to press on it, and that they are sent ahead to draw it along."""
_OVER_WALL = -0.013
"""Metres that are free, as it were, where fingers are above the walls, and have but the upper end of a thing."""
_KEPT = 0.006
"""Metres of free room that it is worth to stay with the thing and the axis that the tool is at."""
_TRIED = np.array(list(itertools.product(_ROOM, (0, -1, 1), (0, -_ACROSS, _ACROSS))))
"""Ways (ways, 3) to come down about a thing: room, which finger comes down close to it, and how far from its middle."""
_ENDS = np.array([-1.0, 1.0])


class Hold(NamedTuple):
    """How a thing is taken: the place (3,) of the tool, the axis (2,) of the fingers, how far they are open then, and
    where they have `missed` it, how many metres are `free` about them, less than nothing where something is in the
    way, and `by` what."""

    name: str
    place: Array
    axis: Array
    wide: float
    missed: float
    free: float
    by: str


class _Way(NamedTuple):
    hold: Hold
    worth: float
    kept: float


class Clutter:
    """All things that are seen, some of which are in a bin, each with a row in what is known of all."""

    def __init__(self, see: Sight, names: Sequence[str], container: str, widest: float) -> None:
        self._see, self._widest, self._names = see, widest, list(names)
        self._places = np.array([see[f"{name}_position"] for name in names])
        turns = [quat_to_matrix(see[f"{name}_orientation"].tolist()) for name in names]
        self._sides = np.array([turn * see[f"{name}_half_extents"] for turn, name in zip(turns, names, strict=True)])
        self._tops = self._places[:, 2] + np.abs(self._sides[:, 2]).sum(axis=1)
        self._middle, (c, s) = see[f"{container}_position"], see[f"{container}_direction"]
        self._turn = np.array([[c, s], [-s, c]])
        self._inner = see[f"{container}_inner"]

    def under(self, name: str) -> float:
        """Metres from the lower end of a thing to its origin."""
        row = self._names.index(name)
        return float(self._tops[row] - self._places[row, 2])

    def top(self, name: str) -> float:
        """Height in metres of the upper end of a thing."""
        return float(self._tops[self._names.index(name)])

    def is_within(self, name: str) -> bool:
        """Whether a thing is over the floor of the bin."""
        x, y = self._turn @ (self._places[self._names.index(name)] - self._middle)[:2]
        return bool(abs(x) < self._inner[0] / 2 and abs(y) < self._inner[1] / 2)

    def hold(self, name: str) -> Hold:
        """The way to take a thing about which most is free."""
        x, y = axis = self._see[f"{name}_grip_axis"]
        ways = [*self._ways(name, axis), *self._ways(name, np.array([-y, x]), _TURNED)]
        if self.is_within(name) and all(way.hold.free < 0.0 for way in ways):
            # Askew at a wall, or pressed between others: it is turned by fingers that go along the walls.
            ways += [way for side in self._turn for way in self._ways(name, side, _ASKEW)]
        # What is free is told of the way that is best wherever the tool is, so that it does not change as it moves.
        best = max(ways, key=lambda way: way.worth).hold
        kept = max(ways, key=lambda way: way.worth + way.kept).hold
        return kept._replace(free=best.free, by=best.by)

    def _ways(self, name: str, axis: Array, lost: float = 0.0) -> list[_Way]:
        """Of the ways to take a thing by fingers that close along an axis the best, and that which the tool is at."""
        row, place = self._names.index(name), self._see[f"{name}_grip_position"]
        grip = float(self._see[f"{name}_grip_width"][0])
        frame = np.array([axis, [-axis[1], axis[0]]])
        sizes = np.abs(frame @ self._sides[:, :2]).sum(axis=2)  # of all things, along the fingers' axis and across
        others = (self._places - place)[:, :2] @ frame.T
        (width, across), top = sizes[row], self._tops[row]
        rooms = _TRIED[:, 0]
        middles = np.stack([_TRIED[:, 1] * (rooms - _CLOSE), _TRIED[:, 2] * across], axis=1)
        out = (width + rooms + _THICK / 2)[:, None] * _ENDS
        fingers = middles[:, None] + np.stack([out, np.zeros_like(out)], axis=2)  # (ways, 2 fingers, 2)
        floor, wall = float(self._middle[2]) + _TIP + 0.004, float(self._middle[2] + self._inner[2])
        high = np.full(len(_TRIED), max(float(place[2]), floor))
        walls = self._to_walls(fingers, place[:2], frame) if self.is_within(name) else np.full(len(_TRIED), math.inf)
        if top - wall > _LEAST_HOLD:  # over the walls, as that is still low enough to have it
            high[walls < 0] = max(float(high[0]), wall + _TIP + 0.003)
            walls[walls < 0] = _OVER_WALL
        gaps = np.abs(others - fingers[:, :, None]) - (sizes + (_THICK / 2, _BROAD))
        beside = np.where(self._tops > high[:, None] - _TIP + 0.002, gaps.max(axis=3).min(axis=1), math.inf)
        # What is higher must not be over what is between the fingers.
        over = (np.abs(others) - sizes - sizes[row]).max(axis=1) + 0.006
        beside = np.minimum(beside, np.where(self._tops > top + 0.006, over, math.inf))
        beside[:, row] = math.inf
        free = np.minimum(walls, beside.min(axis=1))
        wide = np.minimum(2 * (width + rooms), self._widest)
        here = place[:2] + middles @ frame
        worth = np.minimum(free, 0.01) - 0.1 * (wide >= self._widest) - _TO_THE_SIDE * np.abs(_TRIED[:, 2]) - lost
        off = np.hypot(*(here - self._see["tool_position"][:2]).T)
        kept = _KEPT * ((off < 0.02) & (free > _OVER_WALL) & (self._see.off(axis) < 0.3))

        def way(i: int) -> _Way:
            nearest = int(np.argmin(beside[i]))
            by = self._names[nearest] if beside[i, nearest] < walls[i] else ""
            missed = max(min(float(wide[i]) - _MISSED[0], grip - _MISSED[1]), _NOTHING)
            hold = Hold(name, np.array([*here[i], high[i]]), axis, float(wide[i]), missed, float(free[i]), by)
            return _Way(hold, float(worth[i]), float(kept[i]))

        return [way(i) for i in {int(np.argmax(worth)), int(np.argmax(worth + kept))}]

    def _to_walls(self, fingers: Array, place: Array, frame: Array) -> Array:
        """Metres (ways,) from fingers (ways, 2, 2), from a place in its frame, to the walls of the bin."""
        turn = self._turn @ frame.T
        away = np.abs(fingers @ turn.T + self._turn @ (place - self._middle[:2])) + np.abs(turn) @ (_THICK / 2, _BROAD)
        least: Array = (self._inner[:2] / 2 - away.max(axis=1)).min(axis=1)
        return least


def drag(see: Sight, hold: Hold, top: float, over: float, to: Array) -> tuple[Array, float]:
    """Where the tool is to go next, and the fingers' rate, to draw a thing to a place (2,) under closed fingers."""
    tool, (x, y, _) = see["tool_position"], hold.place
    off, press = float(np.hypot(*(tool - hold.place)[:2])), top + _TIP - _PRESS
    if off > 0.014:
        aside = off > 0.02 and tool[2] < over - 0.01
        return np.array([*(tool[:2] if aside else (x, y)), over]), -1.0
    if tool[2] > press + _PRESS + 0.004 or see["finger_opening"][0] > 0.03:
        return np.array([x, y, press if see["finger_opening"][0] < 0.03 else max(over, tool[2])]), -1.0
    way = to - tool[:2]
    return np.array([*(tool[:2] + _DRAWN * way / max(float(np.hypot(*way)), _DRAWN)), press]), -1.0


def take(see: Sight, hold: Hold, over: float) -> tuple[Array, float]:
    """Where the tool is to go next, and the fingers' rate, to take a thing from above; to the side above `over`."""
    tool, opening, (x, y, high) = see["tool_position"], see["finger_opening"][0], hold.place
    off, up = float(np.hypot(*(tool - hold.place)[:2])), tool[2] - high
    opened = float(np.clip((hold.wide - opening) / 0.008, -1.0, 1.0))
    if opening < hold.missed or high > over:  # it has nothing, or something hangs on one finger
        return np.array([*tool[:2], over]), 1.0
    closing = opening < hold.wide - 0.008
    speed = float(np.abs(see["tool_velocity"]).max())
    if closing and off < 0.03 and (up < 0.012 or (up < 0.05 and speed < 0.01)):  # it comes to the middle as they close
        return np.array([*tool[:2], tool[2] + _GIVE_UP]), -1.0
    if off < 0.008 and up < 0.006:
        return np.array([x, y, high]), -1.0
    ready = see.off(hold.axis) < 0.1 and abs(opening - hold.wide) < 0.006
    if off < 0.01 and (ready or up < 0.03):
        # What keeps the fingers from coming down is between them as far as it may be.
        stuck = up < 0.05 and speed < 0.004
        return np.array([x, y, high]), -1.0 if stuck else opened
    if tool[2] < over - 0.01 and off > 0.02:
        return np.array([*tool[:2], over + 0.01]), opened
    return np.array([x, y, over if off > 0.01 or not ready else high]), opened
