"""How a thing lies to another, as it is seen from the front: to the left, to the right, in front, behind, or in it."""

from collections.abc import Callable, Mapping
from math import dist
from types import MappingProxyType

from simworld.language.referent import Referent
from simworld.language.verdict import Verdict

CLEAR = 0.03
"""Metres from which on one thing is clearly farther to a side, or nearer, than another."""

_ACROSS = {"left": "back", "right": "back", "front": "right", "back": "right"}


def gap(one: Referent, other: Referent, side: str) -> float:
    """How much farther `one` is to a side than `other`, in metres; 0 where ground and picture disagree."""
    if side in ("front", "back"):
        away = one.away - other.away
        return away if side == "back" else -away
    right = one.right - other.right
    seen = right if one.slant is None or other.slant is None else one.slant - other.slant
    if right * seen < 0:
        return 0.0
    return right if side == "right" else -right


def is_farther(one: Referent, other: Referent, side: str) -> bool:
    """Whether `one` is clearly farther to a side than `other`."""
    return gap(one, other, side) >= max(CLEAR, abs(gap(one, other, _ACROSS[side])) / 3)


def _towards(side: str) -> Callable[[Referent, Referent], Verdict]:
    def lies(one: Referent, other: Referent) -> Verdict:
        if other.holds(one) is not False:
            return None  # nobody says what lies in a box to be left of it
        along, aside = gap(one, other, side), abs(gap(one, other, _ACROSS[side]))
        if along >= max(CLEAR, aside):
            return True
        return False if along <= -CLEAR / 2 or aside > 3 * max(along, 0.0) + CLEAR else None

    return lies


RELATIONS: Mapping[str, Callable[[Referent, Referent], Verdict]] = MappingProxyType(
    {
        "left of": _towards("left"),
        "right of": _towards("right"),
        "in front of": _towards("front"),
        "behind": _towards("back"),
        "in": lambda one, other: other.holds(one),
    }
)
"""Whether one thing lies so to another, by the words that say it."""


def apart(one: Referent, other: Referent) -> float:
    """Metres between two things along the ground."""
    return dist((one.right, one.away), (other.right, other.away))
