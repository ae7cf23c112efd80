"""The cells of a feature that quotas count: a value or an interval, and how much of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Paired
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import check_range, immutable, is_number
from simworld.errors import ConfigurationError, shown

_DIGITS, _LONGEST = 18, 100
NAME = r"[^\s,:=()\[\]%]+"


@dataclass(frozen=True)
class Interval:
    """The numbers from `low` to `high`; `high` itself belongs to the next cell where one begins there."""

    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, immutable(getattr(self, name)))
        check_range(self, self.low, self.high)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def __str__(self) -> str:
        return f"[{number_text(self.low)},{number_text(self.high)}]"


Label = str | bool | int


@dataclass(frozen=True)
class Cell:
    """A value or an interval, and how much of it: a share (float in 0..1), a number (int), or None: an equal share."""

    what: Label | Interval
    amount: float | int | None = None

    def __post_init__(self) -> None:
        for name in ("what", "amount"):
            object.__setattr__(self, name, immutable(getattr(self, name)))
        if not isinstance(self.what, bool | int | Interval) and not is_name(self.what):
            raise ConfigurationError(
                f"a cell is an interval, a whole number, true, false or a short name, got {shown(self.what)}"
            )
        if self.amount is not None and not (is_number(self.amount) and self.amount >= 0):
            raise ConfigurationError(
                f"{self}: the amount must be a share or a number of samples, got {shown(self.amount)}"
            )
        if isinstance(self.amount, float):
            object.__setattr__(self, "amount", round(self.amount, 12))  # so that it survives being written in percent

    def holds(self, value: Any) -> bool:
        """Whether `value` is in the cell, both ends of an interval included."""
        if isinstance(self.what, Interval):
            return bool(self.what.low <= value <= self.what.high)
        return bool(self.what == value)

    def __str__(self) -> str:
        return str(self.what).lower() if isinstance(self.what, bool) else str(self.what)


def cell_of(value: Any) -> Label | Interval:
    """What a text says is in a cell."""
    text = str(value).strip()
    if text.startswith("["):
        try:
            low, high = (float(part) for part in text.removeprefix("[").removesuffix("]").split(","))
        except ValueError:
            raise ConfigurationError(f"an interval is [LOW,HIGH], got {shown(text)}") from None
        return Interval(low, high)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not re.fullmatch(r"-?\d+", text):
        return text
    if len(text) > _DIGITS:
        raise ConfigurationError(f"a cell's number has at most {_DIGITS} digits, got {shown(text)}")
    return int(text)


def amount_of(value: Any) -> float | int:
    """A share from "5%" or 0.05, a number of samples from "500" or 500."""
    value = immutable(value)
    if is_number(value):
        return value
    text = str(value).strip()
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise ConfigurationError(f"an amount is a share such as 5% or a number of samples, got {shown(text)}") from None


def amount_text(amount: float | int) -> str:
    """What `amount_of` reads."""
    return f"{number_text(round(amount * 100, 10))}%" if isinstance(amount, float) else str(amount)


def number_text(number: float) -> str:
    """A number without a useless fraction."""
    return repr(number).removesuffix(".0")


def listed(text: str) -> list[str]:
    """The parts between commas outside of brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", text) if part]


def is_name(value: Any) -> bool:
    """Whether a value can be a name in a quota."""
    return isinstance(value, str) and len(value) <= _LONGEST and re.fullmatch(NAME, value) is not None


def values_of(distribution: Distribution) -> Sequence[Any] | None:
    """All that a distribution may draw, None if that is not a list of names or whole numbers."""
    own = distribution.own if isinstance(distribution, Paired | Dealt) else distribution
    support = own.support()
    if isinstance(own, Integers):
        return range(support[0], support[1] + 1)
    listed = isinstance(own, Choice | Constant) or all(isinstance(value, str) for value in support)
    return support if listed and all(isinstance(value, str | int) for value in support) else None


def may_hold(cell: Cell, support: Sequence[Any], values: Sequence[Any] | None) -> bool:
    """Whether a distribution of that support may draw what is in the cell."""
    ends = cell.what
    if isinstance(ends, Interval):
        return (
            all(isinstance(v, int | float) for v in support) and ends.low <= max(support) and ends.high >= min(support)
        )
    if values is None:
        return isinstance(ends, int) and min(support) <= ends <= max(support)
    if isinstance(values, range):  # which would compare each of its numbers with a name
        return isinstance(ends, int) and ends in values
    return ends in values
