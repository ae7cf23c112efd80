"""Quotas: how many samples of a request must fall into which cells of a feature, and the report of what was met.

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
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Paired
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import check_range, immutable, is_number
from simworld.errors import ConfigurationError, SimworldError, nearest, shortened, shown

MOST_CELLS, MOST_CHARACTERS = 1000, 10_000
"""How many cells a quota may have, and how long its text may be."""

OTHER = "other"
"""The name of what is in no cell of a quota."""

_WAY_OUT = "a larger budget, or replays, which vary what was found and so are not independent, may meet them"
_UNSEEN = "what was never seen may be impossible"
_DIGITS, _LONGEST = 18, 100
_NAME = r"[^\s,:=()\[\]%]+"
_QUOTA = re.compile(rf"({_NAME})(\[[^\]]*\])?=(.+)")


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
        return f"[{_text(self.low)},{_text(self.high)}]"


Label = str | bool | int


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
class Cell:
    """A value or an interval, and how much of it: a share (float in 0..1), a number (int), or None: an equal share."""

    what: Label | Interval
    amount: float | int | None = None

    def __post_init__(self) -> None:
        for name in ("what", "amount"):
            object.__setattr__(self, name, immutable(getattr(self, name)))
        if not isinstance(self.what, bool | int | Interval) and not _is_name(self.what):
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


@dataclass(frozen=True)
class Quota:
    """What share of all samples, or how many, fall into the cells of a feature: a label, parameter or event.

    The rest is "other"; without any cells, what the factor of that address may be is met uniformly. Cells that overlap,
    contradict each other or ask for more than 100% raise ConfigurationError.
    """

    feature: str
    cells: tuple[Cell, ...] = ()

    def __post_init__(self) -> None:
        if not _is_name(self.feature):
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
        values = _values(distribution)
        countable = values is not None and len(values) <= MOST_CELLS
        if not self.cells and not countable:
            what = f"{shown(distribution)} has no values to count, or over {MOST_CELLS}"
            raise ConfigurationError(f"quota {self.short}: {what}: list its cells")
        for cell in self.cells:
            if not _may_hold(cell, distribution.support(), values):
                hint = nearest(str(cell), map(str, values)) if values and countable else ""
                raise ConfigurationError(f"quota {self.feature}: {cell} is never drawn by {shown(distribution)}{hint}")
        return self if self.cells else Quota(self.feature, tuple(Cell(value) for value in values or ()))

    def __str__(self) -> str:
        if any(cell.amount is None for cell in self.cells):
            return f"{self.feature}=uniform({','.join(map(str, self.cells))})"
        parts = [f"{cell}:{_amount_text(cell.amount)}" for cell in self.cells if cell.amount is not None]
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
            return cls(feature, (Cell(_what(interval), _amount(value)),))
        if value == "uniform" or (value.startswith("uniform(") and value.endswith(")")):
            return cls(feature, tuple(Cell(_what(part)) for part in _split(value[8:-1])))
        if ":" not in value:
            return cls(feature, (Cell(True, _amount(value)),))
        parts = [part.rpartition(":") for part in _split(value)]
        return cls(feature, tuple(Cell(_what(what), _amount(amount)) for what, _, amount in parts))


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


@dataclass(frozen=True)
class Feature:
    """What quotas may be over besides factors: a float, int, str or bool, and what it may be.

    `allowed` has all names, the least and the greatest number, or what it may be of False and True.
    """

    kind: type
    allowed: tuple[Any, ...] = (False, True)

    def check(self, quota: Quota, count: int) -> None:
        """Raise ConfigurationError where a quota has cells, or leaves a rest of `count`, that no sample can be in."""
        quota.check_kind(self.kind)
        values = None if self.kind in (float, int) else self.allowed
        for cell in quota.cells:
            if not _may_hold(cell, self.allowed, values):
                raise ConfigurationError(f"quota {quota.feature}: it is never {cell}, but {self._range()}")
        if quota.asked(count)[-1] and quota.covers(self.allowed, values is None):
            raise ConfigurationError(
                f"quota {quota.short}: it is always in one of these cells, so ask for 100% of them"
            )

    def may_be(self, value: Any) -> bool:
        """Whether a sample can have that value."""
        if type(value) is not self.kind:
            return False
        return value in self.allowed if self.kind in (str, bool) else min(self.allowed) <= value <= max(self.allowed)

    def _range(self) -> str:
        if self.kind in (float, int):
            return f"from {_text(self.allowed[0])} to {_text(self.allowed[1])}"
        return " or ".join(str(Cell(value)) for value in self.allowed)


@dataclass(frozen=True)
class Tally:
    """One cell of one quota: the samples `asked` for and `met`, and how many candidates were `seen` in it."""

    feature: str
    cell: str
    asked: int
    met: int
    seen: int


@dataclass(frozen=True)
class Report:
    """What was asked, what was met and what it cost.

    The `accepted` are, or vary, `groups` different independent draws. Of the `candidates` made, `replays` varied an
    earlier one, `failed` could not be made and `duplicates` repeated the parameters of an accepted one. Of each draw
    `related` replays may be accepted. `stop` is "" while it goes on.
    """

    tallies: tuple[Tally, ...]
    candidates: int
    accepted: int
    groups: int
    replays: int
    failed: int
    duplicates: int
    related: int
    stop: str

    @property
    def acceptance_rate(self) -> float:
        """Accepted candidates of all, in 0..1."""
        return self.accepted / max(self.candidates, 1)

    @property
    def way_out(self) -> str:
        """What may help where the budget was too small."""
        if "budget" not in self.stop:
            return ""
        if not all(tally.seen for tally in self.tallies if tally.met < tally.asked):
            return _UNSEEN
        return "" if self.related else _WAY_OUT

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return asdict(self) | {"tallies": [asdict(t) for t in self.tallies], "acceptance_rate": self.acceptance_rate}

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("quota", "cell", "asked", "met", "seen", "rate")]
        rows += [(*map(str, asdict(t).values()), f"{t.seen / max(self.candidates, 1):.1%}") for t in self.tallies]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*_pad(row[:2], widths), *_pad(row[2:], widths[2:], ">")]) for row in rows]
        cost = f"{self.accepted} of {self.candidates} candidates accepted ({self.acceptance_rate:.1%})"
        drawn = f"{self.accepted} samples of {self.groups} independent draws"
        return "\n".join([*lines, f"{cost}, {drawn}; {self.stop or 'goes on'}"])


class QuotaError(SimworldError):
    """Quotas were not met within the budget; `report` has the numbers."""

    def __init__(self, report: Report) -> None:
        self.report = report
        total = max(report.candidates, 1)
        short = [
            f"{t.feature}={t.cell} is {t.asked - t.met} short of {t.asked} (in {t.seen / total:.2%})"
            for t in report.tallies
            if t.met < t.asked
        ]
        failed = f", {report.failed} could not be made" if report.failed else ""
        again = f", {report.duplicates} repeated an accepted one" if report.duplicates else ""
        made = f"{report.candidates} candidates gave {report.accepted} samples{failed}{again}"
        way_out = f"; {report.way_out}" if report.way_out else ""
        super().__init__(f"quotas not met ({report.stop}): {made}; {'; '.join(short)}{way_out}")


def _from_item(feature: Any, item: Any) -> Quota:
    if not isinstance(feature, str) or (isinstance(item, Mapping) and not all(isinstance(what, str) for what in item)):
        raise ConfigurationError(f"quotas: features and cells are texts, got {shown({feature: item})}")
    if isinstance(item, Mapping):
        return Quota(feature, tuple(Cell(_what(what), _amount(amount)) for what, amount in item.items()))
    return Quota.parse(f"{feature}={item}") if isinstance(item, str) else Quota(feature, (Cell(True, _amount(item)),))


def _what(value: Any) -> Label | Interval:
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


def _amount(value: Any) -> float | int:
    """A share from "5%" or 0.05, a number of samples from "500" or 500."""
    value = immutable(value)
    if is_number(value):
        return value
    text = str(value).strip()
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise ConfigurationError(f"an amount is a share such as 5% or a number of samples, got {shown(text)}") from None


def _amount_text(amount: float | int) -> str:
    return f"{_text(round(amount * 100, 10))}%" if isinstance(amount, float) else str(amount)


def _text(number: float) -> str:
    return repr(number).removesuffix(".0")


def _split(text: str) -> list[str]:
    """The parts between commas outside of brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", text) if part]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and re.fullmatch(_NAME, value) is not None


def _values(distribution: Distribution) -> Sequence[Any] | None:
    """All that a distribution may draw, None if that is not a list of names or whole numbers."""
    own = distribution.own if isinstance(distribution, Paired) else distribution
    support = own.support()
    if isinstance(own, Integers):
        return range(support[0], support[1] + 1)
    listed = isinstance(own, Choice | Constant) or all(isinstance(value, str) for value in support)
    return support if listed and all(isinstance(value, str | int) for value in support) else None


def _may_hold(cell: Cell, support: Sequence[Any], values: Sequence[Any] | None) -> bool:
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


def _pad(texts: Sequence[str], widths: Sequence[int], side: str = "<") -> list[str]:
    return [f"{text:{side}{width}}" for text, width in zip(texts, widths, strict=False)]
