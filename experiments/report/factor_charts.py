"""What was randomized, drawn: one small chart for every factor, from the parameters recorded with each sample."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from simworld.experiments.report.charts import bars, histogram, number, swatches

_MOST_BARS = 12
_TALL = 5
_COLOR = "sRGB"
_UNITS: Mapping[str, tuple[str, float]] = {
    "m": ("mm", 1000.0),
    "rad": ("\N{DEGREE SIGN}", 180 / math.pi),
    "kg": ("g", 1000.0),
    _COLOR: ("", 1.0),
}
"""What some units are shown in, and how many of these one of them is."""


@dataclass(frozen=True)
class FactorChart:
    """The chart of a factor, what it shows, in which unit ("" for none), and how many rows of a grid it takes."""

    name: str
    unit: str
    chart: Markup
    rows: int


@dataclass
class FactorGroup:
    """The factors of one thing, such as the light; `fixed` holds those that had one value throughout."""

    name: str
    charts: list[FactorChart] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)


def factor_groups(samples: Iterable[Mapping[str, Any]], units: Mapping[str, str]) -> list[FactorGroup]:
    """Every factor of the samples, grouped by the first word of its address.

    The values of all objects, or of all joints, are one factor. `units` are theirs by address, in which a `*` may stand
    for any word.
    """
    groups: dict[str, FactorGroup] = {}
    for address, values in sorted(_pooled(samples).items()):
        first, _, rest = address.partition(".")
        group = groups.setdefault(first, FactorGroup(first))
        name = rest.replace("*.", "").replace(".", " ") or first
        own = _unit(address, units)
        unit, scale = _UNITS.get(own, (own, 1.0))
        if all(value == values[0] for value in values):
            group.fixed.append(f"{name} {_written(values[0], scale)} {unit}".rstrip())
        elif chart := _chart(values, f"{first} {name}", scale, own == _COLOR):
            tall = isinstance(values[0], str) and len(set(values)) > _TALL
            group.charts.append(FactorChart(name, unit, chart, 2 if tall else 1))
    for group in groups.values():
        group.charts.sort(key=lambda chart: -chart.rows)
    return sorted(groups.values(), key=lambda group: -len(group.charts))


def _unit(address: str, units: Mapping[str, str]) -> str:
    words = address.split(".")
    for pattern, unit in units.items():
        parts = pattern.split(".")
        if len(parts) == len(words) and all(part in ("*", word) for part, word in zip(parts, words, strict=True)):
            return unit
    return ""


def _pooled(samples: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """All values by address, where a `*` stands for the number of an object or a joint."""
    pooled: dict[str, list[Any]] = {}
    for sample in samples:
        for address, value in sample.items():
            name = ".".join("*" if part.isdigit() else part for part in address.split("."))
            pooled.setdefault(name, []).append(value)
    return pooled


def _chart(values: Sequence[Any], name: str, scale: float, is_color: bool) -> Markup | None:
    """The chart that fits the kind of the values; None for what is no number, word or colour."""
    if is_color:
        return swatches([(value[0], value[1], value[2]) for value in values], f"{name}: {len(values):,} colours")
    if all(isinstance(value, str | bool) for value in values):
        return _counted(values, name, lambda item: (-item[1], str(item[0])))
    if all(isinstance(value, int | float) for value in values):
        whole = all(value == int(value) for value in values)
        if whole and len(set(values)) <= _MOST_BARS:
            return _counted(values, name, lambda item: item[0])
        label = f"{name}: histogram of {len(values):,} values"
        return histogram([scale * value for value in values], label)
    return None


def _counted(values: Sequence[Any], name: str, order: Callable[[tuple[Any, int]], Any]) -> Markup:
    counts = sorted(Counter(values).items(), key=order)
    return bars({str(value): count for value, count in counts}, f"{name}: counts of {len(values):,} values")


def _written(value: Any, scale: float) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(scale * value)
    return ", ".join(_written(one, scale) for one in value) if isinstance(value, list | tuple) else str(value)
