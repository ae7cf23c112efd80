"""Whether draws are distributed as declared: Kolmogorov-Smirnov and chi-square tests."""

import colorsys
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simworld.randomization import HSV, Constant, Distribution, InBox, Integers, Uniform

COUNTED = 100
"""The most whole numbers that are told apart."""


def parts(law: Distribution, drawn: Sequence[Any]) -> dict[str, tuple[Distribution, Sequence[Any]]]:
    """What is tested of a factor, by the ending of its name: all that varies of a colour or a position."""
    laws: dict[str, Distribution]
    match law:
        case HSV(hue, saturation, value):
            laws = {".hue": hue, ".saturation": saturation, ".value": value}
            drawn = [colorsys.rgb_to_hsv(*color) for color in drawn]
        case InBox(low, high):
            laws = {f".{axis}": Uniform(*ends) for axis, *ends in zip("xyz", low, high, strict=True)}
        case _:
            return {"": (law, drawn)}
    columns = zip(*drawn, strict=True)
    parts = {name: (part, column) for (name, part), column in zip(laws.items(), columns, strict=True)}
    return {name: part for name, part in parts.items() if not isinstance(part[0], Constant)}


def p_value(law: Distribution, drawn: Sequence[Any]) -> float:
    """The probability of draws as far as these from a distribution, or farther; 0 where it never gives one of them."""
    n, cells = len(drawn), _cells(law)
    if cells is None:
        return kolmogorov(np.array([law.cdf(value) for value in sorted(drawn)]))
    expected = np.array([n * law.density(cell) for cell in cells])
    counted = np.array([drawn.count(cell) for cell in cells])
    if counted.sum() < n:
        return 0.0
    return chi_square(float(((counted - expected) ** 2 / expected).sum()), len(cells) - 1)


def _cells(law: Distribution) -> Sequence[Any] | None:
    """The values of a distribution to be counted; None where there are too many."""
    if isinstance(law, Integers):
        return range(law.low, law.high + 1) if law.high - law.low < COUNTED else None
    return None if law.continuous else list(dict.fromkeys(law.support()))


def kolmogorov(at: np.ndarray) -> float:
    """The p-value of draws whose cdf is `at`, in order (Stephens 1970, Journal of the Royal Statistical Society B)."""
    n, steps = len(at), np.arange(len(at))
    distance = float(max((at - steps / n).max(), ((steps + 1) / n - at).max()))
    x = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    if x < 0.3:  # where the series hardly converges it is 1
        return 1.0
    series = sum(math.copysign(2.0, k % 2 - 0.5) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, series))


def chi_square(statistic: float, freedom: int) -> float:
    """The upper tail, by the cube root of Wilson and Hilferty (1931)."""
    if freedom == 0:
        return 1.0
    z = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return 0.5 * math.erfc(z / math.sqrt(2))
