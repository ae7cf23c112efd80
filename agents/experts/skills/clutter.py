"""How the experts find where things that lie in a heap can be taken, and by which way of closing the fingers."""

import itertools
import math
from collections.abc import Iterator, Sequence
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
_CLOSE = 0.002
"""Metres between a finger and the thing where it comes down on one side of its room, and draws the thing along."""
_LEAST_HOLD = 0.006
"""Metres of a thing's upper end that the fingers must have between them."""
_MISSED = 0.04
"""Metres narrower than before that fingers are which have closed about nothing."""
_GIVE_UP = 0.0006
"""Metres that the tool is sent up while fingers close, so that it leaves what they do not get hold of."""
_OVER_WALL = -0.013
"""Metres that are free, as it were, where fingers are above the walls, and have but the upper end of a thing."""
_KEPT = 0.006
"""Metres of free room that it is worth to stay with the thing and the axis that the tool is at."""


class Hold(NamedTuple):
    """How a thing is taken: the place (3,) of the tool, the axis (2,) of the fingers, how far they are open,
    how many metres are `free` about them then, less than nothing where something is in the way, and `by` what."""

    name: str
    place: Array
    axis: Array
    wide: float
    free: float
    by: str


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

    def is_within(self, name: str) -> bool:
        """Whether a thing is over the floor of the bin."""
        x, y = self._turn @ (self._places[self._names.index(name)] - self._middle)[:2]
        return bool(abs(x) < self._inner[0] / 2 and abs(y) < self._inner[1] / 2)

    def hold(self, name: str) -> Hold:
        """The way to take a thing about which most is free."""
        x, y = axis = self._see[f"{name}_grip_axis"]
        holds = [hold for way in (axis, np.array([-y, x])) for hold in self._holds(name, way)]
        return max(holds, key=self._worth)

    def _worth(self, hold: Hold) -> float:
        see = self._see
        stays = np.hypot(*(see["tool_position"] - hold.place)[:2]) < 0.02 and see.off(hold.axis) < 0.3
        turned = abs(float(hold.axis @ self._see[f"{hold.name}_grip_axis"])) < 0.5
        worth = min(hold.free, 0.01) + _KEPT * stays - 0.002 * turned
        return worth - 0.1 * (hold.wide >= self._widest)

    def _holds(self, name: str, axis: Array) -> Iterator[Hold]:
        """The ways to take a thing by fingers that close along an axis."""
        row, place = self._names.index(name), self._see[f"{name}_grip_position"]
        frame = np.array([axis, [-axis[1], axis[0]]])
        sizes = np.abs(frame @ self._sides[:, :2]).sum(axis=2)  # of all things, along the fingers' axis and across
        away = np.abs((self._places - place)[:, :2] @ frame.T)
        width, top = sizes[row, 0], self._tops[row]
        # What is higher must not be over what is between the fingers.
        over = np.where(self._tops > top + 0.006, (away - sizes - sizes[row]).max(axis=1) + 0.006, math.inf)
        floor, wall = float(self._middle[2]) + _TIP + 0.004, self._middle[2] + self._inner[2]
        for room, side in itertools.product(_ROOM, (0, -1, 1)):
            middle = place[:2] + side * (room - _CLOSE) * axis
            out = width + room + _THICK / 2
            fingers = [middle + end * out * axis for end in (-1, 1)]
            high = max(float(place[2]), floor)
            walls = self._to_walls(fingers, frame) if self.is_within(name) else math.inf
            if walls < 0 and top - wall > _LEAST_HOLD:  # over the walls, as that is still low enough to have it
                high, walls = max(high, wall + _TIP + 0.003), _OVER_WALL
            sides = [np.abs((self._places[:, :2] - finger) @ frame.T) - sizes for finger in fingers]
            gaps = np.min([(gap - (_THICK / 2, _BROAD)).max(axis=1) for gap in sides], axis=0)
            beside = np.where(self._tops > high - _TIP + 0.002, gaps, math.inf)
            beside = np.minimum(beside, over)
            beside[row] = math.inf
            nearest = int(np.argmin(beside))
            by = self._names[nearest] if beside[nearest] < walls else ""
            wide = min(2 * (width + room), self._widest)
            yield Hold(name, np.array([*middle, high]), axis, wide, float(min(walls, beside[nearest])), by)

    def _to_walls(self, fingers: Sequence[Array], frame: Array) -> float:
        """Metres from fingers to the walls of the bin."""
        reach = np.abs(self._turn @ frame.T) @ (_THICK / 2, _BROAD)
        away = [np.abs(self._turn @ (finger - self._middle[:2])) + reach for finger in fingers]
        return float((self._inner[:2] / 2 - np.max(away, axis=0)).min())


def take(see: Sight, hold: Hold, over: float) -> tuple[Array, float]:
    """Where the tool is to go next, and the fingers' rate, to take a thing from above; to the side above `over`."""
    tool, opening, (x, y, high) = see["tool_position"], see["finger_opening"][0], hold.place
    off, up = float(np.hypot(*(tool - hold.place)[:2])), tool[2] - high
    opened = float(np.clip((hold.wide - opening) / 0.008, -1.0, 1.0))
    if opening < hold.wide - _MISSED or high > over:  # it has nothing, or something hangs on one finger
        return np.array([*tool[:2], over]), 1.0
    closing = opening < hold.wide - 0.008
    if closing and off < 0.03 and up < 0.012:  # it comes to the middle as they close
        return np.array([*tool[:2], tool[2] + _GIVE_UP]), -1.0
    if off < 0.008 and up < 0.006:
        return np.array([x, y, high]), -1.0
    ready = see.off(hold.axis) < 0.1 and abs(opening - hold.wide) < 0.006
    if off < 0.01 and (ready or up < 0.03):
        # What keeps the fingers from coming down is between them as far as it may be.
        stuck = up < 0.02 and ready and float(np.abs(see["tool_velocity"]).max()) < 0.004
        return np.array([x, y, high]), -1.0 if stuck else opened
    if tool[2] < over - 0.01 and off > 0.02:
        return np.array([*tool[:2], over + 0.01]), opened
    return np.array([x, y, over if off > 0.01 or not ready else high]), opened
