"""Distributions as values: callable on a generator, composable with arithmetic, printable and comparable."""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simworld.errors import ConfigurationError
from simworld.streams import Generator

Value = float | int | str | tuple[float, ...]
Number = float | int

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def _check_range(distribution: "Distribution", low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ConfigurationError(f"{distribution!r}: low and high must be finite and low at most high")


class Distribution(ABC):
    """What a factor may be: `distribution(generator)` draws one value."""

    @abstractmethod
    def __call__(self, generator: Generator) -> Any:
        """Draw one value from `generator`."""

    def __add__(self, other: "Distribution | Number") -> "Combination":
        return Combination("+", self, as_distribution(other))

    def __radd__(self, other: Number) -> "Combination":
        return Combination("+", as_distribution(other), self)

    def __sub__(self, other: "Distribution | Number") -> "Combination":
        return Combination("-", self, as_distribution(other))

    def __rsub__(self, other: Number) -> "Combination":
        return Combination("-", as_distribution(other), self)

    def __mul__(self, other: "Distribution | Number") -> "Combination":
        return Combination("*", self, as_distribution(other))

    def __rmul__(self, other: Number) -> "Combination":
        return Combination("*", as_distribution(other), self)

    def __truediv__(self, other: "Distribution | Number") -> "Combination":
        return Combination("/", self, as_distribution(other))


@dataclass(frozen=True)
class Constant(Distribution):
    """Always `value`."""

    value: Value

    def __call__(self, generator: Generator) -> Value:
        return self.value


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform on [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high)

    def __call__(self, generator: Generator) -> float:
        return float(generator.uniform(self.low, self.high))


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Uniform in the logarithm on [low, high), both positive."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high)
        if self.low <= 0:
            raise ConfigurationError(f"{self!r}: low must be greater than 0")

    def __call__(self, generator: Generator) -> float:
        return math.exp(float(generator.uniform(math.log(self.low), math.log(self.high))))


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with the given mean and standard deviation."""

    mean: float
    std: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std >= 0):
            raise ConfigurationError(f"{self!r}: mean must be finite and std finite and at least 0")

    def __call__(self, generator: Generator) -> float:
        return float(generator.normal(self.mean, self.std))


@dataclass(frozen=True)
class Integers(Distribution):
    """Uniform over the whole numbers low, ..., high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high)

    def __call__(self, generator: Generator) -> int:
        return int(generator.integers(self.low, self.high, endpoint=True))


@dataclass(frozen=True)
class Choice(Distribution):
    """One of `options`, each as likely."""

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ConfigurationError("Choice(()): there must be at least one option")

    def __call__(self, generator: Generator) -> Value:
        return self.options[int(generator.integers(len(self.options)))]


@dataclass(frozen=True)
class HSV(Distribution):
    """An sRGB colour (3,) in 0..1, drawn by hue, saturation and value, each in 0..1."""

    hue: Distribution = Uniform(0.0, 1.0)
    saturation: Distribution = Uniform(0.0, 1.0)
    value: Distribution = Uniform(0.0, 1.0)

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        import colorsys

        return colorsys.hsv_to_rgb(self.hue(generator), self.saturation(generator), self.value(generator))


@dataclass(frozen=True)
class Combination(Distribution):
    """Arithmetic on two distributions, drawn one after the other."""

    operator: str
    left: Distribution
    right: Distribution

    def __call__(self, generator: Generator) -> Any:
        left, right = self.left(generator), self.right(generator)
        return _OPERATORS[self.operator](left, right)

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


def as_distribution(value: "Distribution | Value") -> Distribution:
    """A distribution as it is, anything else as a Constant."""
    return value if isinstance(value, Distribution) else Constant(value)
