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


class PutIn:
    """Carries what is held over the walls of a container, and lets go over its floor: the middle, or where it is free.

    Of all that lies in it, it is let go as far away as may be.
    """

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(self, see: Sight, name: str, container: str, beside: Sequence[str] = ()) -> Command:
        """What the tool is to do next while it holds a thing; `beside` are others that are in the container."""
        place, under, spot = (
            hanging(see, name),
            below(see, name),
            _free(see, name, container, beside),
        )
        top = top_of(see, container)
        over, long = (float(np.hypot(*side)) for side in (place[:2] - spot, see[f"{name}_half_extents"][:2]))
        release = max(top + _DROP, float(see[f"{container}_position"][2]) + under + _FOOT)
        if over < 0.025 and place[2] < release + (0.02 if release == top + _DROP else _FOOT):
            return see.move(place, [*spot, release], OPEN)
        if over < 0.03:
            return see.move(place, [*spot, release], CLOSED)
        safe = top + under + _CARRY
        ready = place[2] > safe - 0.03 or over > max(0.2, 0.14 + long)
        return self._grasp.carry(see, name, [*(spot if ready else place[:2]), safe])


def top_of(see: Sight, container: str) -> float:
    """Height in metres of the upper end of a container's walls."""
    return float(see[f"{container}_position"][2] + see[f"{container}_inner"][2])


def below(see: Sight, name: str) -> float:
    """Metres from a thing's origin down to the lower end of its bounds, as it is turned."""
    up = quat_to_matrix(see[f"{name}_orientation"])[2]
    return float(np.abs(up) @ see[f"{name}_half_extents"])


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


def _free(see: Sight, name: str, container: str, beside: Sequence[str]) -> Array:
    """The place (2,) over a container that is farthest from what lies in it; the middle where nothing does."""
    middle, (c, s) = see[f"{container}_position"][:2], see[f"{container}_direction"]
    if not beside:
        return middle
    radius = float(np.hypot(*see[f"{name}_half_extents"][:2]))
    reach = np.maximum(see[f"{container}_inner"][:2] / 2 - radius - _FROM_WALLS, 0.0)
    here = _within(see, see[f"{name}_position"][:2], container)
    others = [_within(see, see[f"{other}_position"][:2], container) for other in beside]
    sides = [np.array(side) * reach for side in itertools.product((-1, 0, 1), repeat=2)]
    worth = [
        min(np.linalg.norm(side - other) for other in others) - _STAY * np.linalg.norm(side - here) for side in sides
    ]
    x, y = sides[int(np.argmax(worth))]
    there: Array = middle + np.array([c * x - s * y, s * x + c * y])
    return there
