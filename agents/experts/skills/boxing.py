"""How the experts put what they hold into a container."""

import itertools
from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.grasping import CLOSED, OPEN, Grasp, hanging
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.geometry import Array, quat_to_matrix
from simworld.physics.control.command import Command

_CARRY = 0.05
"""Metres of free height under a carried thing above the container's walls."""
_FROM_WALLS = 0.012
"""Metres between a thing that is let go and the walls."""
_DROP, _FOOT = 0.012, 0.004
"""Metres from the upper end of the walls up to the origin of what is let go, and from the floor to its lower end, where
that is more."""
_STANDS = 0.01
"""Metres that what stands on the floor may seem to be above it."""
_STAY = 0.2
"""Metres of free way that are worth a metre of way there: so the place that a thing is on its way to stays the best."""
_TRIED = np.array(list(itertools.product(np.linspace(-1, 1, 5), repeat=2)))
"""Places (25, 2) in a container, as shares of the free way from its middle to its walls."""
_STUCK = 0.004
"""Metres per second below which what is lowered is let go: it lies on something."""
_APART = 0.03
"""Metres between two things in a container that are enough."""
_PASS = 0.025
"""Metres that what is carried stays away from others."""


class PutIn:
    """Carries what is held over the walls of a container, and lets go over its floor: the middle, or where it is free.

    It is let go as far from all that lies in it as may be, and where it comes to lie on something.
    """

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(
        self, see: Sight, name: str, container: str, beside: Sequence[str] = (), past: Sequence[str] = ()
    ) -> Command:
        """What the tool is to do next while it holds a thing; others are in the container, or may be on the way there.

        Those in it are `beside` it, and it is carried `past` those that are not.
        """
        place, under = hanging(see, name), below(see, name)
        spot = _free(see, name, container, beside, bool(past))
        top = top_of(see, container)
        over, long = (float(np.hypot(*side)) for side in (place[:2] - spot, see[f"{name}_half_extents"][:2]))
        # Fingers that have it below its middle need room to open above the walls.
        drop = top + _DROP + max(float(place[2] - see["tool_position"][2]), 0.0)
        release = max(drop, float(see[f"{container}_position"][2]) + under + _FOOT)
        if over < 0.025 and place[2] < release + (0.02 if release == drop else _FOOT):
            return see.move(place, [*spot, release], OPEN)
        safe = max([top + _CARRY, *(highest(see, other) + _PASS for other in beside)]) + under
        if over < 0.03:
            still = float(np.abs(see["tool_velocity"]).max()) < _STUCK
            lies = still and place[2] < top + under + _CARRY / 2
            return see.move(place, place if lies else [*spot, release], OPEN if lies else CLOSED)
        way = [highest(see, other) for other in past if _is_between(see, other, place[:2], spot, long)]
        if way and place[2] < (high := max(way) + under + _PASS / 2):
            return self._grasp.carry(see, name, [*place[:2], high + _PASS])
        ready = place[2] > safe - 0.03 or over > max(0.2, 0.14 + long)
        return self._grasp.carry(see, name, [*(spot if ready else place[:2]), safe])


def top_of(see: Sight, container: str) -> float:
    """Height in metres of the upper end of a container's walls."""
    return float(see[f"{container}_position"][2] + see[f"{container}_inner"][2])


def below(see: Sight, name: str) -> float:
    """Metres from a thing's origin down to the lower end of its bounds, as it is turned."""
    up = quat_to_matrix(see[f"{name}_orientation"])[2]
    return float(np.abs(up) @ see[f"{name}_half_extents"])


def highest(see: Sight, name: str) -> float:
    """Height in metres of the upper end of a thing."""
    return float(see[f"{name}_position"][2]) + below(see, name)


def is_in(see: Sight, name: str, container: str) -> bool:
    """Whether a thing is between the walls of a container, and below their upper end or standing on the floor."""
    x, y = _within(see, see[f"{name}_position"][:2], container)
    width, depth, _ = see[f"{container}_inner"]
    between = abs(x) < width / 2 - 0.01 and abs(y) < depth / 2 - 0.01
    standing = see[f"{container}_position"][2] + below(see, name) + _STANDS
    return bool(between and see[f"{name}_position"][2] < max(top_of(see, container), standing))


def _within(see: Sight, place: Array, container: str) -> Array:
    """A place (2,) from the middle of a container, along its sides."""
    (x, y), (c, s) = place - see[f"{container}_position"][:2], see[f"{container}_direction"]
    return np.array([c * x + s * y, -s * x + c * y])


def _is_between(see: Sight, name: str, start: Array, end: Array, wide: float) -> bool:
    """Whether a thing is on the way (2,) of another, so many metres to each side of it."""
    off, way = see[f"{name}_position"][:2] - start, end - start
    share = np.clip(off @ way / max(float(way @ way), 1e-9), 0.0, 1.0)
    near = wide + float(np.hypot(*see[f"{name}_half_extents"][:2])) + _PASS
    return bool(np.hypot(*(off - share * way)) < near)


def _spans(see: Sight, name: str, container: str) -> Array:
    """Half the size (2,) of a thing along the sides of a container."""
    c, s = see[f"{container}_direction"]
    sides = quat_to_matrix(see[f"{name}_orientation"])[:2] * see[f"{name}_half_extents"]
    spans: Array = np.abs(np.array([[c, s], [-s, c]]) @ sides).sum(axis=1)
    return spans


def _free(see: Sight, name: str, container: str, beside: Sequence[str], more: bool) -> Array:
    """The place (2,) over a container that is farthest from what lies in it; the middle where nothing does or will."""
    middle, (c, s) = see[f"{container}_position"][:2], see[f"{container}_direction"]
    if not (beside or more):
        return middle
    mine = _spans(see, name, container)
    places = _TRIED * np.maximum(see[f"{container}_inner"][:2] / 2 - mine - _FROM_WALLS, 0.0)
    here = _within(see, see[f"{name}_position"][:2], container)
    others = np.array([_within(see, see[f"{other}_position"][:2], container) for other in beside]).reshape(-1, 2)
    theirs = np.array([_spans(see, other, container) for other in beside]).reshape(-1, 2)
    apart = (np.abs(places[:, None] - others) - mine - theirs).max(axis=2).min(axis=1, initial=_APART)
    x, y = places[int(np.argmax(apart - _STAY * np.linalg.norm(places - here, axis=1)))]
    there: Array = middle + np.array([c * x - s * y, s * x + c * y])
    return there
