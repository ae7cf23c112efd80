"""What a distribution is, constants, arithmetic on distributions, and reading them from plain data."""

import itertools
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simworld.errors import ConfigurationError
from simworld.randomization.values import Number, Value, immutable, is_number, plain
from simworld.streams import Generator

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
UNBOUNDED = (-math.inf, math.inf)
"""The support of what may be any number."""

_CLASSES: dict[str, type["Distribution"]] = {}


class Distribution(ABC):
    """What a factor may be: `distribution(generator)` draws one value.

    Its plain data, which JSON can hold, is `{name: arguments}`, in the order of its fields.
    """

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()
        _CLASSES[cls.name] = cls

    @abstractmethod
    def __call__(self, generator: Generator) -> Any:
        """Draw one value from `generator`."""

    @abstractmethod
    def support(self) -> tuple[Any, ...]:
        """Values of which every draw is one, or between two; infinite where there is no bound."""

    def to_plain(self) -> Any:
        """What `from_plain` reads."""
        return {self.name: [v.to_plain() if isinstance(v, Distribution) else plain(v) for v in vars(self).values()]}

    @classmethod
    def from_arguments(cls, *arguments: Any) -> "Distribution":
        """The distribution with the arguments that `to_plain` gave."""
        return cls(*arguments)

    def __add__(self, other: "Distribution | Number") -> "Combination":
        return Combination("+", self, other)

    def __radd__(self, other: Number) -> "Combination":
        return Combination("+", other, self)

    def __sub__(self, other: "Distribution | Number") -> "Combination":
        return Combination("-", self, other)

    def __rsub__(self, other: Number) -> "Combination":
        return Combination("-", other, self)

    def __mul__(self, other: "Distribution | Number") -> "Combination":
        return Combination("*", self, other)

    def __rmul__(self, other: Number) -> "Combination":
        return Combination("*", other, self)

    def __truediv__(self, other: "Distribution | Number") -> "Combination":
        return Combination("/", self, other)

    def __rtruediv__(self, other: Number) -> "Combination":
        return Combination("/", other, self)


@dataclass(frozen=True)
class Constant(Distribution):
    """Always `value`."""

    value: Value

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", immutable(self.value))

    def __call__(self, generator: Generator) -> Value:
        return self.value

    def support(self) -> tuple[Any, ...]:
        return (self.value,)

    def to_plain(self) -> Any:
        return plain(self.value)


@dataclass(frozen=True, init=False, repr=False)
class Combination(Distribution):
    """Arithmetic on two distributions, drawn one after the other."""

    operator: str
    left: Distribution
    right: Distribution

    def __init__(self, operator: str, left: Distribution | Number, right: Distribution | Number) -> None:
        for name, value in (("operator", operator), ("left", from_plain(left)), ("right", from_plain(right))):
            object.__setattr__(self, name, value)
        if operator not in _OPERATORS:
            raise ConfigurationError(f"{self!r}: the operator must be one of {list(_OPERATORS)}")
        bounds = self.left.support() + self.right.support()
        if not all(is_number(bound) or bound in UNBOUNDED for bound in bounds):
            raise ConfigurationError(f"{self!r}: both sides must be numbers")
        if operator == "/" and min(self.right.support()) <= 0 <= max(self.right.support()):
            raise ConfigurationError(f"{self!r}: the divisor must not reach or cross 0")

    def __call__(self, generator: Generator) -> Any:
        left, right = self.left(generator), self.right(generator)
        return _OPERATORS[self.operator](left, right)

    def support(self) -> tuple[Any, ...]:
        left, right = self.left.support(), self.right.support()
        if not all(is_number(bound) for bound in left + right):
            return UNBOUNDED
        # Monotone in either side, so that the corners bound it.
        corners = [_OPERATORS[self.operator](a, b) for a, b in itertools.product(left, right)]
        whole = all(isinstance(corner, int) for corner in corners)
        return (min(corners), max(corners)) if whole else (float(min(corners)), float(max(corners)))

    def to_plain(self) -> Any:
        return {self.operator: [self.left.to_plain(), self.right.to_plain()]}

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


def from_plain(value: Any) -> Distribution:
    """A distribution as it is, a mapping as `to_plain` gives it, anything else as a Constant."""
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, Mapping):
        return Constant(value)
    name = next(iter(value), None)
    if len(value) != 1 or name not in {*_CLASSES, *_OPERATORS}:
        names = [*_CLASSES, *_OPERATORS]
        raise ConfigurationError(f"a distribution is one of {names} with a list of its arguments, got {value!r}")
    try:
        arguments = tuple(value[name])
        return Combination(name, *arguments) if name in _OPERATORS else _CLASSES[name].from_arguments(*arguments)
    except TypeError:
        raise ConfigurationError(f"not the arguments of a distribution: {value!r}") from None
