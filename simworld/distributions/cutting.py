"""Parts of distributions of numbers, between two of them."""

import math
from collections.abc import Iterator

from simworld.distributions.compounds import Mixture
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import shares
from simworld.errors import ConfigurationError


def is_whole(distribution: Distribution) -> bool:
    """Whether a distribution is one of whole numbers whose parts are known."""
    if isinstance(distribution, Mixture):
        return all(map(is_whole, distribution.parts))
    return isinstance(distribution, Integers)


def can_be_cut(distribution: Distribution) -> bool:
    """Whether a distribution is one of numbers whose parts between two of them are known."""
    if is_whole(distribution):
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
    if is_whole(distribution):
        found = [(part[0], each * part[1]) for piece, each in _pieces(distribution) if (part := cut(piece, low, high))]
        return (Mixture(*zip(*found, strict=True)), math.fsum(mass for _, mass in found)) if found else None
    low, high = max(low, min(distribution.support())), min(high, max(distribution.support()))
    mass = distribution.cdf(high) - distribution.cdf(low) if low < high else 0.0
    return (distribution.between(low, high), mass) if mass > 0 else None


def _pieces(distribution: Distribution) -> Iterator[tuple[Integers, float]]:
    """The ranges that a mixture of whole numbers is made of, however deep, and the probability of a number of each."""
    if isinstance(distribution, Integers):
        yield distribution, distribution.density(distribution.low)
    elif isinstance(distribution, Mixture):
        for part, share in zip(distribution.parts, shares(distribution.weights, len(distribution.parts)), strict=True):
            yield from ((piece, share * each) for piece, each in _pieces(part))
