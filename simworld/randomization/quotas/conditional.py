"""The distribution of a factor, given the cell of a quota that its value is in."""

import math
from collections.abc import Sequence
from typing import Any

from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.compounds import Mixture, Paired
from simworld.distributions.cutting import can_be_cut, cut
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution
from simworld.errors import ConfigurationError, shown
from simworld.randomization.quotas.cells import Interval
from simworld.randomization.quotas.quota import Quota
from simworld.streams import Generator, Streams

DRAWS = 10_000
"""Draws within which a value of a cell must come."""

_Range = tuple[float, float]


class Conditional:
    """A factor's distribution within each cell of a quota over it, and outside of all.

    Values are drawn from the part of the distribution that is in the cell; where it cannot be cut, from the whole until
    one is there. A cell of which samples are `asked` but that never comes raises ConfigurationError.
    """

    def __init__(self, quota: Quota, distribution: Distribution, asked: Sequence[int]) -> None:
        self._quota = quota
        # A pair is drawn together only where neither side is imposed.
        own = distribution.own if isinstance(distribution, Paired | Dealt) else distribution
        self._parts = [_part(own, quota, cell) or own for cell in range(len(asked))]
        for cell, amount in enumerate(asked):
            if amount and self(cell, Streams(0)(quota.feature)) is None:
                what = "anything else" if cell == len(quota.cells) else quota.names[cell]
                raise ConfigurationError(
                    f"quota {quota.feature}: {what} is never drawn, or hardly, by {shown(distribution)}"
                )

    def __call__(self, cell: int, generator: Generator) -> Any:
        """A value in the cell; None where none came in DRAWS draws."""
        values = (self._parts[cell](generator) for _ in range(DRAWS))
        return next((value for value in values if self._quota.where(value) == cell), None)


def _part(distribution: Distribution, quota: Quota, cell: int) -> Distribution | None:
    """The part of a distribution in a cell, its ends included; None where it is not known, or there is none."""
    if isinstance(distribution, Choice | Constant | Tagged):
        held = [value for value in dict.fromkeys(distribution.support()) if quota.where(value) == cell]
        return Choice(tuple(held), tuple(map(distribution.density, held))) if held else None
    if not can_be_cut(distribution):
        return None
    parts = [part for ends in _ranges(quota, cell) if (part := cut(distribution, *ends)) is not None]
    return Mixture(tuple(part for part, _ in parts), tuple(mass for _, mass in parts)) if parts else None


def _ranges(quota: Quota, cell: int) -> list[_Range]:
    """The numbers of a cell, or those between all cells; ends are in both."""
    whats = [cell.what for cell in quota.cells]
    ranges = [(w.low, w.high) if isinstance(w, Interval) else (w, w) for w in whats if not isinstance(w, str)]
    if cell < len(ranges):
        return [ranges[cell]]
    edges = [-math.inf, *(edge for ends in sorted(ranges) for edge in ends), math.inf]
    return list(zip(edges[::2], edges[1::2], strict=True))
