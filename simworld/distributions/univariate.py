"""The distributions of numbers, as values."""

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from simworld.distributions.expressions import UNBOUNDED, Distribution
from simworld.distributions.values import (
    check_numbers,
    check_probability,
    check_range,
    is_number,
    normal_cdf,
    normal_density,
    normal_quantile,
)
from simworld.errors import ConfigurationError, shown
from simworld.geometry import Array
from simworld.streams import Generator

Numbers = TypeVar("Numbers", float, Array)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform on [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)

    def __call__(self, generator: Generator) -> float:
        # The same bits as of generator.uniform, in a third of the time.
        return self.at(generator.random())

    def at(self, share: Numbers) -> Numbers:
        """The number, or the numbers, a share of 0..1 of the way from low to high."""
        return self.low + (self.high - self.low) * share

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    @property
    def continuous(self) -> bool:
        return self.low < self.high

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.low <= value <= self.high:
            return 0.0
        return 1 / (self.high - self.low) if self.continuous else 1.0

    def cdf(self, value: float) -> float:
        if value >= self.high:
            return 1.0
        return max(0.0, (value - self.low) / (self.high - self.low)) if self.continuous else 0.0

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.high if p == 1 else self.low + p * (self.high - self.low)

    def between(self, low: float, high: float) -> "Uniform":
        return Uniform(max(low, self.low), min(high, self.high))


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Uniform in the logarithm on [low, high), both positive."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)
        if self.low <= 0:
            raise ConfigurationError(f"{self!r}: low must be greater than 0")

    def __call__(self, generator: Generator) -> float:
        return self.at(generator.random())

    def at(self, share: float) -> float:
        """The number that is a share of 0..1 of the way from low to high, in the logarithm."""
        low, high = math.log(self.low), math.log(self.high)
        return min(max(math.exp(low + (high - low) * share), self.low), self.high)

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    @property
    def continuous(self) -> bool:
        return self.low < self.high

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.low <= value <= self.high:
            return 0.0
        return 1 / (value * math.log(self.high / self.low)) if self.continuous else 1.0

    def cdf(self, value: float) -> float:
        if value >= self.high or value < self.low:
            return float(value >= self.high)
        return math.log(value / self.low) / math.log(self.high / self.low)

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.high if p == 1 else min(self.low * (self.high / self.low) ** p, self.high)

    def between(self, low: float, high: float) -> "LogUniform":
        return LogUniform(max(low, self.low), min(high, self.high))


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with the given mean and standard deviation."""

    mean: float
    std: float

    def __post_init__(self) -> None:
        check_numbers(self, self.mean, self.std)
        if self.std < 0:
            raise ConfigurationError(f"{self!r}: std must be at least 0")

    def __call__(self, generator: Generator) -> float:
        return float(generator.normal(self.mean, self.std))

    def support(self) -> tuple[Any, ...]:
        return UNBOUNDED

    @property
    def continuous(self) -> bool:
        return self.std > 0

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.continuous:
            return float(value == self.mean)
        return normal_density((value - self.mean) / self.std) / self.std

    def cdf(self, value: float) -> float:
        return normal_cdf((value - self.mean) / self.std) if self.continuous else float(value >= self.mean)

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.mean + self.std * normal_quantile(p) if self.continuous else self.mean

    def between(self, low: float, high: float) -> "TruncatedNormal":
        return TruncatedNormal(self.mean, self.std, low, high)


@dataclass(frozen=True)
class TruncatedNormal(Distribution):
    """The part from `low` to `high` of the normal distribution with `mean` and `std`; either end may be infinite.

    Drawn by its quantile, from the lighter tail, so that it is right to 37 standard deviations from the mean; a range
    farther out, of a probability below 1e-300, is refused. Plain data has an infinite end as "inf" or "-inf".
    """

    mean: float
    std: float
    low: float
    high: float

    def __post_init__(self) -> None:
        ends = [0 if end in UNBOUNDED else end for end in (self.low, self.high)]
        check_numbers(self, self.mean, self.std, *ends)
        if self.std <= 0 or self.low >= self.high:
            raise ConfigurationError(f"{self!r}: std must be greater than 0, and low less than high")
        if self._mass() < 1e-300:
            raise ConfigurationError(f"{self!r}: the normal distribution never comes between low and high")

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> Distribution:
        def number(value: Any) -> Any:
            return float(value) if value in ("inf", "-inf") else value

        return cls(*map(number, arguments), **{key: number(value) for key, value in named.items()})

    def __call__(self, generator: Generator) -> float:
        return self.quantile(max(generator.random(), 2.0**-54))

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    def density(self, value: Any) -> float:
        inside = is_number(value) and self.low <= value <= self.high
        return normal_density((value - self.mean) / self.std) / (self.std * self._mass()) if inside else 0.0

    def cdf(self, value: float) -> float:
        if value <= self.low or value >= self.high:
            return float(value >= self.high)
        low, _ = self._ends()
        z = (value - self.mean) / self.std
        if self._mirrored():
            return 1 - (normal_cdf(-z) - normal_cdf(low)) / self._mass()
        return (normal_cdf(z) - normal_cdf(low)) / self._mass()

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        if p in (0, 1):
            return self.high if p else self.low
        low, _ = self._ends()
        sign, share = (-1, 1 - p) if self._mirrored() else (1, p)
        z = sign * normal_quantile(min(normal_cdf(low) + share * self._mass(), 1 - 2.0**-53))
        return min(max(self.mean + self.std * z, self.low), self.high)

    def between(self, low: float, high: float) -> "TruncatedNormal":
        return replace(self, low=max(low, self.low), high=min(high, self.high))

    def _mirrored(self) -> bool:
        return self.low > self.mean

    def _ends(self) -> tuple[float, float]:
        """The ends in standard deviations from the mean, of the mirror image where that keeps relative precision."""
        low, high = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
        return (-high, -low) if self._mirrored() else (low, high)

    def _mass(self) -> float:
        low, high = self._ends()
        return normal_cdf(high) - normal_cdf(low)


@dataclass(frozen=True)
class Integers(Distribution):
    """Uniform over the whole numbers low, ..., high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise ConfigurationError(f"{shown(self)}: low and high must be whole numbers")
        if not -(2**63) <= self.low <= self.high < 2**63:
            raise ConfigurationError(f"{shown(self)}: low and high must be whole numbers of 64 bits")

    def __call__(self, generator: Generator) -> int:
        return int(generator.integers(self.low, self.high, endpoint=True))

    def support(self) -> tuple[Any, ...]:
        return self.low, self.high

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return 1 / self._count() if value in range(self.low, self.high + 1) else 0.0

    def cdf(self, value: float) -> float:
        if value < self.low or value >= self.high:
            return float(value >= self.high)
        return (math.floor(value) - self.low + 1) / self._count()

    def quantile(self, p: float) -> int:
        check_probability(self, p)
        return self.low + max(math.ceil(p * self._count() - 1e-9) - 1, 0)

    def _count(self) -> int:
        return self.high - self.low + 1

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        if self.low == self.high:
            return self, self
        held = min(max(round(holdout * self._count()), 1), self.high - self.low)
        return Integers(self.low, self.high - held), Integers(self.high - held + 1, self.high)
