"""What a factor is."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from simworld.assets.catalogue import AllKinds, left_out
from simworld.distributions.choices import Choice
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import is_number, is_numbers, is_point
from simworld.errors import ConfigurationError, nearest, shown
from simworld.geometry import IDENTITY, Vec3

_MOST_VALUES = 10_000
"""Whole numbers of which a part is made."""


@dataclass(frozen=True)
class Factor:
    """One thing that may vary: its nominal distribution, the values it may take and their unit.

    `low` and `high`, both allowed, bound numbers; a colour is sRGB (3,), each in 0..1; a name is one of `names`; a
    position is (3,), each from `low` to `high`; a rotation is a unit quaternion xyzw; a folder is a path. `items` are
    what a `*` in its address stands for, `own` the nominal distributions of those that have their own, and `only` the
    names of those that may not have all.
    """

    nominal: Distribution
    kind: Literal["number", "whole", "color", "name", "position", "rotation", "folder"]
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    meaning: str = ""
    names: Collection[str] = ()
    items: tuple[str, ...] = ()
    own: Mapping[str, Distribution] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def with_own(self, own: Mapping[str, Any]) -> "Factor":
        """The factor, of which some items have nominal values of their own."""
        return replace(self, own={item: _distribution(value) for item, value in own.items()})

    @property
    def is_switch(self) -> bool:
        """Whether it is 0 or 1."""
        return self.kind == "whole" and (self.low, self.high) == (0, 1)

    def joined(self, other: "Factor") -> "Factor":
        """The factor of the items of both, as far as either may be."""
        if not other.items:
            return self
        own = {item: factor.own.get(item, factor.nominal) for factor in (self, other) for item in factor.items}
        differs = self.own or other.own or self.nominal != other.nominal
        only = {**self.only, **other.only}
        low, high, items = min(self.low, other.low), max(self.high, other.high), (*self.items, *other.items)
        return replace(self, low=low, high=high, items=items, own=own if differs else {}, only=only)

    @property
    def allowed(self) -> list[Any]:
        """Least and largest number, the names, or the corners of what has several numbers."""
        if self.kind == "rotation":
            return [[-1, -1, -1, -1], [1, 1, 1, 1]]
        if self.kind in ("color", "position"):
            return [[self.low] * 3, [self.high] * 3]
        return list(self.names) if self.kind in ("name", "folder") else [self.low, self.high]

    @property
    def rule(self) -> str:
        """What a value must be, in words."""
        if isinstance(self.names, AllKinds):
            return "a kind of those that `simworld objects` lists"
        words = {
            "number": f"a number from {self.low:g} to {self.high:g} {self.unit}".rstrip(),
            "whole": f"a whole number from {self.low:g} to {self.high:g}",
            "color": "a colour: 3 numbers in 0..1",
            "name": f"one of {list(self.names)}",
            "position": f"a position: 3 numbers from {self.low:g} to {self.high:g} {self.unit}",
            "rotation": "a rotation: a unit quaternion x, y, z, w",
            "folder": "the path of a folder of images",
        }
        return words[self.kind]

    def allows(self, value: Any) -> bool:
        """Whether the factor may be `value`."""
        match self.kind:
            case "number":
                finite = math.isfinite(value) if type(value) is float else is_number(value)
                return finite and bool(self.low <= value <= self.high)
            case "whole":
                return isinstance(value, int) and is_number(value) and self.low <= value <= self.high
            case "color" | "position":
                return is_point(value) and all(self.low <= part <= self.high for part in value)
            case "rotation":
                return is_numbers(value, 4) and abs(math.hypot(*value) - 1) < 1e-6
            case "folder":
                return isinstance(value, str)
            case "name":
                return isinstance(value, str) and value in self.names

    def reaches(self, bound: Any) -> bool:
        """Whether a bound of a distribution's support lets it be drawn from for the factor."""
        # The bounds of rotations are no rotations.
        return is_numbers(bound, 4) if self.kind == "rotation" else self.allows(bound)

    def part(self, distribution: Distribution) -> Distribution | None:
        """The part of a distribution of names or whole numbers that the factor may be; None where it may be none."""
        bounds = distribution.support()
        if self.kind not in ("name", "whole") or all(map(self.allows, bounds)):
            return distribution
        if isinstance(distribution, Integers):
            low, high = max(distribution.low, int(self.low)), min(distribution.high, int(self.high))
            return Integers(low, high) if low <= high else None
        values: Iterable[Any] = bounds
        if self.kind == "whole" and not isinstance(distribution, Choice) and all(isinstance(b, int) for b in bounds):
            low, high = max(min(bounds), int(self.low)), min(max(bounds), int(self.high))
            if high - low >= _MOST_VALUES:
                raise ConfigurationError(f"of so many whole numbers no part can be drawn; each must be {self.rule}")
            values = range(low, high + 1)
        shares = {value: distribution.density(value) for value in values if self.allows(value)}
        held = {value: share for value, share in shares.items() if share > 0}
        return Choice(tuple(held), tuple(held.values())) if held else None

    def check(self, address: str, value: Any) -> None:
        """Raise ConfigurationError if the factor at `address` may not be `value`."""
        if not self.allows(value):
            is_kind = isinstance(self.names, AllKinds) and isinstance(value, str)
            hint = f"{nearest(value, self.names)}{left_out()}" if is_kind else ""
            raise ConfigurationError(f"{address}: must be {self.rule}, got {shown(value)}{hint}")


def number(nominal: Distribution | float, low: float, high: float, unit: str, meaning: str, *items: str) -> Factor:
    """A factor that is a number."""
    return Factor(_distribution(nominal), "number", low, high, unit, meaning, items=items)


def whole(nominal: Distribution | int, low: int, high: int, meaning: str, *items: str) -> Factor:
    """A factor that is a whole number."""
    return Factor(_distribution(nominal), "whole", low, high, meaning=meaning, items=items)


def color(red: float, green: float, blue: float, meaning: str, *items: str) -> Factor:
    """A factor that is an sRGB colour."""
    return Factor(Constant((red, green, blue)), "color", unit="sRGB", meaning=meaning, items=items)


def name(nominal: str, names: Collection[str], meaning: str, *items: str) -> Factor:
    """A factor that is one of some names."""
    return Factor(Constant(nominal), "name", meaning=meaning, names=names, items=items)


def position(place: Vec3, low: float, high: float, meaning: str, items: Mapping[str, Vec3] | None = None) -> Factor:
    """A factor that is a position; `items` have places of their own."""
    items = items or {}
    return Factor(Constant(place), "position", low, high, "m", meaning, items=tuple(items)).with_own(items)


def rotation(meaning: str, *items: str) -> Factor:
    """A factor that is a rotation."""
    return Factor(Constant(IDENTITY), "rotation", meaning=meaning, items=items)


def folder(meaning: str) -> Factor:
    """A factor that is a folder of images, nominally none."""
    return Factor(Constant(""), "folder", meaning=meaning, names=("any folder",))


def _distribution(value: Any) -> Distribution:
    return value if isinstance(value, Distribution) else Constant(value)


SEEDS = 2**32 - 1
"""The greatest seed."""
