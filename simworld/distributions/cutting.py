"""Parts of distributions of numbers, between two of them."""

import math

from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Integers
from simworld.errors import ConfigurationError


def can_be_cut(distribution: Distribution) -> bool:
    """Whether a distribution is one of numbers whose parts between two of them are known."""
    if isinstance(distribution, Integers):
        return True
    try:
        distribution.between(min(distribution.support()), max(distribution.support()))
    except (ConfigurationError, TypeError):
        return False
    return distribution.continuous


def cut(distribution: Distribution, low: float, high: float) -> tuple[Distribution, float] | None:
    """What can be cut between two numbers, both included, and how much of it that is; None where there is nothing."""
    if isinstance(distribution, Integers):
        first, last = math.ceil(max(low, distribution.low)), math.floor(min(high, distribution.high))
        return (Integers(first, last), last - first + 1) if first <= last else None
    low, high = max(low, min(distribution.support())), min(high, max(distribution.support()))
    mass = distribution.cdf(high) - distribution.cdf(low) if low < high else 0.0
    return (distribution.between(low, high), mass) if mass > 0 else None
