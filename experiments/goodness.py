"""Whether draws are distributed as declared: Kolmogorov-Smirnov and chi-square tests."""

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np

from simworld.distributions.compounds import HSV
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox
from simworld.distributions.univariate import Integers, Uniform

COUNTED = 100
"""The most whole numbers that are told apart."""


def parts(distribution: Distribution, drawn: Sequence[Any]) -> dict[str, tuple[Distribution, Sequence[Any]]]:
    """What is tested of a factor, by the ending of its name: all that varies of a colour or a position."""
    distributions: dict[str, Distribution]
    match distribution:
        case HSV(hue, saturation, value):
            distributions = {".hue": hue, ".saturation": saturation, ".value": value}
            drawn = [colorsys.rgb_to_hsv(*color) for color in drawn]
        case InBox(low, high):
            distributions = {f".{axis}": Uniform(*ends) for axis, *ends in zip("xyz", low, high, strict=True)}
        case _:
            return {"": (distribution, drawn)}
    columns = zip(*drawn, strict=True)
    parts = {name: (part, column) for (name, part), column in zip(distributions.items(), columns, strict=True)}
    return {name: part for name, part in parts.items() if not isinstance(part[0], Constant)}


def p_value(distribution: Distribution, drawn: Sequence[Any]) -> float:
    """The probability of draws as far as these from a distribution, or farther; 0 where it never gives one of them."""
    from scipy.stats import chisquare, kstest

    cells = _cells(distribution)
    if cells is None:
        return float(kstest([distribution.cdf(value) for value in drawn], "uniform").pvalue)
    expected = np.array([distribution.density(cell) for cell in cells])
    counted = np.array([drawn.count(cell) for cell in cells])
    if counted.sum() < len(drawn):
        return 0.0
    return float(chisquare(counted, len(drawn) * expected / expected.sum()).pvalue) if len(cells) > 1 else 1.0


def _cells(distribution: Distribution) -> Sequence[Any] | None:
    """The values of a distribution to be counted; None where there are too many."""
    if isinstance(distribution, Integers):
        return (
            range(distribution.low, distribution.high + 1) if distribution.high - distribution.low < COUNTED else None
        )
    return None if distribution.continuous else list(dict.fromkeys(distribution.support()))
