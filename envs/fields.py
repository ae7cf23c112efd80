"""What the state is observed as: fields by name, each with its size, bounds, unit and meaning."""

from collections.abc import Mapping
from dataclasses import dataclass

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Field:
    """Some numbers that are observed together, within `low` and `high`, in the world frame where they are of space."""

    low: Numbers
    high: Numbers
    unit: str
    meaning: str

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.low)

    def __add__(self, other: "Field") -> "Field":
        return Field(self.low + other.low, self.high + other.high, self.unit, f"{self.meaning}; {other.meaning}")


def _even(size: int, low: float, high: float, unit: str, meaning: str) -> Field:
    return Field((low,) * size, (high,) * size, unit, meaning)


# The floor is at z = -0.4. What is flung farther is observed at the bound.
_ANYWHERE = (-3.0, -3.0, -0.5), (3.0, 3.0, 1.0)
_LINEAR, _ANGULAR = 10.0, 100.0

FIELDS: Mapping[str, Field] = {
    "tool_position": Field((-1.0, -1.0, -0.5), (1.0, 1.0, 1.0), "m", "tool centre point, between the fingertips"),
    "tool_velocity": _even(3, -3.0, 3.0, "m/s", "its velocity"),
    "finger_opening": _even(1, -0.01, 0.09, "m", "free width between the fingers"),
    "grasped": _even(1, 0.0, 1.0, "", "1 where both fingers squeeze the object"),
    "object_position": Field(*_ANYWHERE, "m", "origin of the object"),
    "object_orientation": _even(4, -1.0, 1.0, "", "quaternion x, y, z, w with w >= 0"),
    "object_velocity": Field(
        (-_LINEAR,) * 3 + (-_ANGULAR,) * 3, (_LINEAR,) * 3 + (_ANGULAR,) * 3, "m/s, rad/s", "linear, then angular"
    ),
    "object_half_extents": _even(3, 0.0, 0.25, "m", "half the object's size along its own axes"),
    "box_position": Field((-0.5, -0.5, -0.1), (0.5, 0.5, 0.1), "m", "middle of the box's floor, its upper face"),
    "box_direction": _even(2, -1.0, 1.0, "", "cosine and sine of the box's turn about z"),
    "box_inner": _even(3, 0.0, 0.25, "m", "free width, depth and height of the box"),
}
"""All fields; each task observes some of them."""

TOOL_GOAL = FIELDS["tool_position"]
OBJECT_GOAL = FIELDS["object_position"]
PLACED_GOAL = OBJECT_GOAL + _even(1, 0.0, 1.0, "", "1 where it rests in the box, released")
