"""The distributions of numbers, names and colours, as values."""

import colorsys
import math
from dataclasses import dataclass
from typing import Any

from simworld.errors import ConfigurationError
from simworld.randomization.expressions import UNBOUNDED, Distribution, from_plain
from simworld.randomization.values import Value, check_numbers, check_range, immutable, is_number, plain
from simworld.streams import Generator


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform on [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)

    def __call__(self, generator: Generator) -> float:
        return float(generator.uniform(self.low, self.high))

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)


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
        value = math.exp(float(generator.uniform(math.log(self.low), math.log(self.high))))
        return min(max(value, self.low), self.high)

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)


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


@dataclass(frozen=True)
class Integers(Distribution):
    """Uniform over the whole numbers low, ..., high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise ConfigurationError(f"{self!r}: low and high must be whole numbers")

    def __call__(self, generator: Generator) -> int:
        return int(generator.integers(self.low, self.high, endpoint=True))

    def support(self) -> tuple[Any, ...]:
        return self.low, self.high


@dataclass(frozen=True)
class Choice(Distribution):
    """One of `options`, each as likely."""

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.options, tuple | list) or not self.options:
            raise ConfigurationError(f"{self!r}: options must be a tuple of at least one value")
        object.__setattr__(self, "options", tuple(immutable(option) for option in self.options))

    def __call__(self, generator: Generator) -> Value:
        return self.options[int(generator.integers(len(self.options)))]

    def support(self) -> tuple[Any, ...]:
        return self.options

    @classmethod
    def from_arguments(cls, *arguments: Any) -> "Choice":
        return cls(arguments)

    def to_plain(self) -> Any:
        return {self.name: [plain(option) for option in self.options]}


@dataclass(frozen=True)
class HSV(Distribution):
    """An sRGB colour (3,) in 0..1, drawn by hue, saturation and value, each in 0..1."""

    hue: Distribution = Uniform(0.0, 1.0)
    saturation: Distribution = Uniform(0.0, 1.0)
    value: Distribution = Uniform(0.0, 1.0)

    def __post_init__(self) -> None:
        for name in ("hue", "saturation", "value"):
            part = from_plain(getattr(self, name))
            object.__setattr__(self, name, part)
            if not all(is_number(bound) and 0 <= bound <= 1 for bound in part.support()):
                raise ConfigurationError(f"HSV: {name} must be from 0 to 1, got {part!r}")

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        return colorsys.hsv_to_rgb(self.hue(generator), self.saturation(generator), self.value(generator))

    def support(self) -> tuple[Any, ...]:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
