"""What a factor may be, divided into cells, and the same distribution with other shares of them."""

import bisect
import colorsys
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simworld.building.factor import SEEDS, Factor
from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.compounds import HSV, Mixture
from simworld.distributions.cutting import can_be_cut, cut, is_whole
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import text

PARTS = 4
"""Equally likely cells of numbers."""
MOST_VALUES = 64
"""Of names and whole numbers that are a cell each."""
CHANNELS = "hue", "saturation", "value"
"""Of a colour."""


@dataclass(frozen=True)
class FactorCells:
    """A distribution in disjoint cells, by `names`, with the probability of each, `shares` (k,).

    A cell is one of `values`, or what is from one of the `edges` (k,) on. Of a colour it is about its `channel`.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    parts: tuple[Distribution, ...]
    edges: tuple[float, ...] = ()
    values: tuple[Any, ...] = ()
    channel: str = ""

    def where(self, value: Any) -> int:
        """The index of the cell that a value which was drawn is in."""
        if self.channel:
            value = colorsys.rgb_to_hsv(*value)[CHANNELS.index(self.channel)]
        if self.values:
            return self.values.index(value)
        return max(bisect.bisect_right(self.edges, value) - 1, 0)

    def drawn(self, whole: Distribution, shares: Sequence[float]) -> Distribution:
        """A distribution with other shares of the cells; of a colour with those of `whole` in its other channels."""
        weights = tuple(map(float, shares))
        part = Choice(self.values, weights) if self.values else Mixture(self.parts, weights)
        return replace(whole, **{self.channel: part}) if self.channel and isinstance(whole, HSV) else part


def divided(distribution: Distribution, factor: Factor) -> Mapping[str, FactorCells]:
    """The cells of what a factor may be, by the ending of its name; none where there is nothing to tell apart.

    Names, and whole numbers of which there are few, are a cell each; numbers are in PARTS equally likely ones; colours
    are divided by hue, saturation and value. Seeds, points (x, y, z), rotations and pairs are not divided.
    """
    if factor.high == SEEDS:
        return {}
    if isinstance(distribution, HSV):
        channels = {f" {name}": (name, _numbers(getattr(distribution, name))) for name in CHANNELS}
        return {end: replace(found, channel=name) for end, (name, found) in channels.items() if found is not None}
    found = _named(distribution) if _has_values(distribution) else _numbers(distribution)
    return {} if found is None else {"": found}


def _has_values(distribution: Distribution) -> bool:
    if isinstance(distribution, Integers):
        return distribution.high - distribution.low < MOST_VALUES
    return isinstance(distribution, Choice | Tagged)


def _named(distribution: Distribution) -> FactorCells | None:
    bounds = distribution.support()
    whole = range(bounds[0], bounds[1] + 1) if isinstance(distribution, Integers) else bounds
    values = tuple(dict.fromkeys(whole))
    if not 1 < len(values) <= MOST_VALUES:
        return None
    shares = tuple(map(distribution.density, values))
    return FactorCells(tuple(map(text, values)), shares, (), values=values)


def _numbers(distribution: Distribution) -> FactorCells | None:
    """Cells between quantiles, of as many as there are that differ."""
    if not can_be_cut(distribution):
        return None
    ends = sorted({distribution.quantile(k / PARTS) for k in range(1, PARTS)})
    cuts = [-math.inf, *ends, math.inf]
    step = is_whole(distribution)  # whose ends are in the cell below
    cells = [(low + 1 if step else low, high) for low, high in zip(cuts, cuts[1:], strict=False)]
    bounds = min(distribution.support()), max(distribution.support())
    cells = [(max(low, bounds[0]), min(high, bounds[1])) for low, high in cells]
    kept = [(cell, part) for cell in cells if (part := cut(distribution, *cell)) is not None]
    if len(kept) < 2:
        return None
    total = math.fsum(mass for _, (_, mass) in kept)
    return FactorCells(
        tuple(f"[{low:.4g}, {high:.4g}]" for (low, high), _ in kept),
        tuple(mass / total for _, (_, mass) in kept),
        tuple(part for _, (part, _) in kept),
        edges=tuple(low for (low, _), _ in kept),
    )
