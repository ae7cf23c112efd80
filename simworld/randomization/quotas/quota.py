"""Quotas: how many samples of a request must fall into which cells of a feature.

As text, an amount is a share of all samples ("5%") or a number of them ("500"), and a cell a value or an interval:

    dropped=5%                            where the feature is true
    occlusion[0.5,0.8]=50%                one interval
    kind=cuboid:30%,mug:20%                  several cells
    kind=uniform(cuboid,mug)                 cells of equal shares
    objects.0.kind=uniform                the same, over all that the randomization may draw for it
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from simworld.distributions.expressions import Distribution
from simworld.errors import ConfigurationError, nearest, shortened, shown
from simworld.randomization.quotas.cells import (
    NAME,
    Cell,
    Interval,
    amount_of,
    amount_text,
    cell_of,
    is_name,
    listed,
    may_hold,
    values_of,
)

MOST_CELLS, MOST_CHARACTERS = 1000, 10_000
"""How many cells a quota may have, and how long its text may be."""

OTHER = "other"
"""The name of what is in no cell of a quota."""

_QUOTA = re.compile(rf"({NAME})(\[[^\]]*\])?=(.+)")


class _Form(NamedTuple):
    """What cells a feature may have, and the words for it."""

    cells: tuple[type, ...]
    rule: str


_FORMS = {
    float: _Form((Interval,), "a number: give an interval, as in {0}[LOW,HIGH]=5%"),
    int: _Form((Interval, int), "a number: give an interval or a number, as in {0}[LOW,HIGH]=5% or {0}=3:5%"),
    str: _Form((str,), "a name: say which, as in {0}=NAME:5%"),
    bool: _Form((bool,), "true or false: give a share or a number, as in {0}=5%"),
    tuple: _Form((), "neither a number nor a name, and has no cells"),
}
"""By the kind of a feature; `tuple` stands for colours, positions and rotations."""


@dataclass(frozen=True)
class Quota:
    """What share of all samples, or how many, fall into the cells of a feature: a label, parameter or event.

    The rest is "other"; without any cells, what the factor of that address may be is met uniformly. Cells that overlap,
    contradict each other or ask for more than 100% raise ConfigurationError.
    """

    feature: str
    cells: tuple[Cell, ...] = ()

    def __post_init__(self) -> None:
        if not is_name(self.feature):
            raise ConfigurationError(f"a quota's feature must be a short name, got {shown(self.feature)}")
        object.__setattr__(self, "cells", tuple(self.cells))
        amounts = [cell.amount for cell in self.cells]
        if None in amounts and any(amount is not None for amount in amounts):
            raise ConfigurationError(f"quota {self.feature}: either every cell has an amount or none, got {amounts}")
        share = sum(amount for amount in amounts if isinstance(amount, float))
        if share > 1 + 1e-9:
            raise ConfigurationError(f"quota {self.feature}: the shares are {share:.6%} in all, more than 100%")
        self._check_apart()

    def check_kind(self, kind: type) -> None:
        """Raise ConfigurationError where the cells cannot be those of a feature of a kind: float, int, str or bool."""
        known = _FORMS[kind]
        for cell in self.cells:
            # True and False are whole numbers to Python.
            given = bool if isinstance(cell.what, bool) else type(cell.what)
            if given not in known.cells:
                raise ConfigurationError(f"quota {self.short}: {self.feature} is {known.rule.format(self.feature)}")

    def _check_apart(self) -> None:
        if len(self.cells) > MOST_CELLS:
            raise ConfigurationError(f"quota {self.feature}: has {len(self.cells)} cells, more than {MOST_CELLS}")
        for one, two in itertools.combinations(self.cells, 2):
            a, b = one.what, two.what
            if isinstance(a, Interval) != isinstance(b, Interval):
                raise ConfigurationError(f"quota {self.feature}: intervals and values together: {one} and {two}")
            if isinstance(a, Interval) and isinstance(b, Interval):
                overlap = max(a.low, b.low) < min(a.high, b.high) or a.low == b.low or a.high == b.high
            else:
                overlap = a == b
            if overlap:
                raise ConfigurationError(f"quota {self.feature}: the cells {one} and {two} overlap")

    @property
    def short(self) -> str:
        """The quota for a message."""
        return shortened(str(self))

    @property
    def names(self) -> list[str]:
        """The cells' names, and "other"."""
        return [*map(str, self.cells), OTHER]

    def where(self, value: Any) -> int:
        """The index of the cell that holds `value` among `names`; a missing value (None) is in no cell."""
        intervals = any(isinstance(cell.what, Interval) for cell in self.cells)
        if value is not None and intervals and not isinstance(value, bool | int | float):
            raise ConfigurationError(f"quota {self.feature}: its cells are intervals, but {shown(value)} is no number")
        held = [i for i, cell in enumerate(self.cells) if value is not None and cell.holds(value)]
        # Where one interval ends and the next begins, both hold the value: the next has it.
        return max(held, key=self._low) if held else len(self.cells)

    def _low(self, i: int) -> float:
        what = self.cells[i].what
        return what.low if isinstance(what, Interval) else 0.0

    def asked(self, count: int) -> list[int]:
        """How many of `count` samples each cell gets, and "other": whole numbers by largest remainder."""
        equal = 1 / max(len(self.cells), 1)
        shares = [equal if cell.amount is None else cell.amount for cell in self.cells]
        ideal = [share * count if isinstance(share, float) else float(share) for share in shares]
        rest = count - sum(ideal)
        if rest < -1e-6 * count:
            raise ConfigurationError(
                f"quota {self.short}: asks for {sum(ideal):g} samples, more than the {count} requested"
            )
        ideal.append(max(rest, 0.0))
        whole = [math.floor(x + 1e-6) for x in ideal]
        order = sorted(range(len(ideal)), key=lambda i: whole[i] - ideal[i])
        for i in order[: count - sum(whole)]:
            whole[i] += 1
        return whole

    def covers(self, values: Sequence[Any], all_between: bool) -> bool:
        """Whether the cells hold all values, and `all_between` the least and the greatest."""
        if not all_between:
            return all(self.where(value) < len(self.cells) for value in values)
        reached = min(values)
        for low, high in sorted((c.what.low, c.what.high) for c in self.cells if isinstance(c.what, Interval)):
            reached = max(reached, high) if low <= reached else reached
        return bool(reached >= max(values))

    def over(self, distribution: Distribution) -> "Quota":
        """The quota with its cells spelled out and checked against what a factor may be."""
        values = values_of(distribution)
        countable = values is not None and len(values) <= MOST_CELLS
        if not self.cells and not countable:
            what = f"{shown(distribution)} has no values to count, or over {MOST_CELLS}"
            raise ConfigurationError(f"quota {self.short}: {what}: list its cells")
        for cell in self.cells:
            if not may_hold(cell, distribution.support(), values):
                hint = nearest(str(cell), map(str, values)) if values and countable else ""
                raise ConfigurationError(f"quota {self.feature}: {cell} is never drawn by {shown(distribution)}{hint}")
        return self if self.cells else Quota(self.feature, tuple(Cell(value) for value in values or ()))

    def __str__(self) -> str:
        if any(cell.amount is None for cell in self.cells):
            return f"{self.feature}=uniform({','.join(map(str, self.cells))})"
        parts = [f"{cell}:{amount_text(cell.amount)}" for cell in self.cells if cell.amount is not None]
        return f"{self.feature}={','.join(parts) or 'uniform'}"

    @classmethod
    def parse(cls, text: str) -> "Quota":
        """The quota of a text as `str` gives it, or in one of the short forms of this module's docstring."""
        match = _QUOTA.fullmatch(text.strip()) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
        if match is None:
            raise ConfigurationError(
                "a quota is FEATURE=AMOUNT, such as occlusion[0.5,0.8]=50%, in at most "
                f"{MOST_CHARACTERS:,} characters, got {shown(text)}"
            )
        feature, interval, value = match.groups()
        if interval:
            return cls(feature, (Cell(cell_of(interval), amount_of(value)),))
        if value == "uniform" or (value.startswith("uniform(") and value.endswith(")")):
            return cls(feature, tuple(Cell(cell_of(part)) for part in listed(value[8:-1])))
        if ":" not in value:
            return cls(feature, (Cell(True, amount_of(value)),))
        parts = [part.rpartition(":") for part in listed(value)]
        return cls(feature, tuple(Cell(cell_of(what), amount_of(amount)) for what, _, amount in parts))


def read_quotas(value: Iterable[str | Quota] | Mapping[str, Any]) -> tuple[Quota, ...]:
    """Quotas from texts, or from a mapping such as {"dropped": "5%", "occlusion": {"[0.5,0.8]": 500}}.

    The texts `[str(quota) for quota in quotas]` are their plain data. Raises ConfigurationError.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"quotas are a list of texts, or a mapping, got {shown(value)}")
    if isinstance(value, Mapping):
        quotas = tuple(_from_item(feature, item) for feature, item in value.items())
    else:
        quotas = tuple(quota if isinstance(quota, Quota) else Quota.parse(quota) for quota in value)
    for feature, count in Counter(quota.feature for quota in quotas).items():
        if count > 1:
            raise ConfigurationError(f"there are several quotas over {feature}: list its cells in one")
    return quotas


def _from_item(feature: Any, item: Any) -> Quota:
    if not isinstance(feature, str) or (isinstance(item, Mapping) and not all(isinstance(what, str) for what in item)):
        raise ConfigurationError(f"quotas: features and cells are texts, got {shown({feature: item})}")
    if isinstance(item, Mapping):
        return Quota(feature, tuple(Cell(cell_of(what), amount_of(amount)) for what, amount in item.items()))
    return Quota.parse(f"{feature}={item}") if isinstance(item, str) else Quota(feature, (Cell(True, amount_of(item)),))
