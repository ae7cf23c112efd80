"""What a distribution is, and constants."""

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from simworld.distributions.values import (
    DEEPEST,
    Number,
    Value,
    check_probability,
    immutable,
    is_number,
    plain,
    text,
)
from simworld.errors import ConfigurationError
from simworld.streams import Generator

UNBOUNDED = (-math.inf, math.inf)
"""The support of what may be any number."""

CLASSES: dict[str, type["Distribution"]] = {}
"""The distributions by name."""


class _Plainly(ABCMeta):
    """Makes values of plain arguments: NumPy's numbers and arrays come as Python's, lists as tuples."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return super().__call__(*map(immutable, arguments), **{name: immutable(value) for name, value in named.items()})


class Distribution(metaclass=_Plainly):
    """What a factor may be: `distribution(generator)` draws one value.

    Its plain data, which JSON can hold, is `{name: arguments}`, a list in the order of its fields or a mapping by their
    names; its text is `name(arguments)`. What is asked of a distribution that has none raises ConfigurationError.
    """

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__.lower()
        CLASSES[cls.name] = cls

    @abstractmethod
    def __call__(self, generator: Generator) -> Any:
        """Draw one value from `generator`."""

    @abstractmethod
    def support(self) -> tuple[Any, ...]:
        """Values of which every draw is one, or between two; infinite where there is no bound."""

    @abstractmethod
    def density(self, value: Any) -> float:
        """The probability density at `value`, or its probability where not `continuous`; 0 outside the support."""

    @property
    def continuous(self) -> bool:
        """Whether no single value has a probability of its own."""
        return True

    def cdf(self, value: float) -> float:
        """The probability of a number of at most `value`."""
        raise ConfigurationError(f"{self}: has no one-dimensional cdf")

    def quantile(self, p: float) -> Any:
        """The least number whose cdf reaches `p`, from 0 to 1."""
        raise ConfigurationError(f"{self}: has no one-dimensional cdf, and so no quantile")

    def split(self, holdout: float) -> tuple["Distribution", "Distribution"]:
        """Two parts of the support that share nothing, with probabilities of about 1 - holdout and holdout.

        What has but one value comes back twice. Two random sides of an expression raise ConfigurationError.
        """
        holdout = immutable(holdout)
        if not is_number(holdout) or not 0 < holdout < 1:
            raise ConfigurationError(f"{self}: holdout must be greater than 0 and less than 1, got {holdout!r}")
        return self._halves(holdout)

    def _halves(self, holdout: float) -> tuple["Distribution", "Distribution"]:
        if not self.continuous:
            return self, self
        low, middle, high = (self.quantile(p) for p in (0, 1 - holdout, 1))
        return self.between(low, middle), self.between(middle, high)

    def between(self, low: float, high: float) -> "Distribution":
        """The distribution of the numbers from `low` to `high`, on which a continuous one has a probability."""
        raise ConfigurationError(f"{self}: cannot be cut")

    def arguments(self) -> tuple[Any, ...] | dict[str, Any]:
        """What `from_arguments` takes, by position or by name."""
        return tuple(vars(self).values())

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> "Distribution":
        """The distribution with the arguments that `arguments` gave, or that are written by hand."""
        return cls(*arguments, **named)

    def to_plain(self) -> Any:
        """What `from_plain` reads."""
        return {self.name: plain(self.arguments())}

    def __str__(self) -> str:
        given = self.arguments()
        words = (
            [f"{key}={text(value)}" for key, value in given.items()] if isinstance(given, dict) else map(text, given)
        )
        return f"{self.name}({', '.join(words)})"

    def __add__(self, other: "Distribution | Number") -> "Distribution":
        return _combined("+", self, other)

    def __radd__(self, other: Number) -> "Distribution":
        return _combined("+", other, self)

    def __sub__(self, other: "Distribution | Number") -> "Distribution":
        return _combined("-", self, other)

    def __rsub__(self, other: Number) -> "Distribution":
        return _combined("-", other, self)

    def __mul__(self, other: "Distribution | Number") -> "Distribution":
        return _combined("*", self, other)

    def __rmul__(self, other: Number) -> "Distribution":
        return _combined("*", other, self)

    def __truediv__(self, other: "Distribution | Number") -> "Distribution":
        return _combined("/", self, other)

    def __rtruediv__(self, other: Number) -> "Distribution":
        return _combined("/", other, self)


@dataclass(frozen=True)
class Constant(Distribution):
    """Always `value`."""

    value: Value

    def __call__(self, generator: Generator) -> Value:
        return self.value

    def support(self) -> tuple[Any, ...]:
        return (self.value,)

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return float(value == self.value)

    def cdf(self, value: float) -> float:
        return float(value >= self._number())

    def quantile(self, p: float) -> Any:
        check_probability(self, p)
        return self._number()

    def _number(self) -> Any:
        if not is_number(self.value):
            raise ConfigurationError(f"{self}: is no number, and has no cdf")
        return self.value

    def to_plain(self) -> Any:
        return plain(self.value)

    def __str__(self) -> str:
        return text(self.value)


def near(distribution: Distribution, value: float, slack: float) -> float:
    """The probability of a number within `slack` of `value`; of `value` itself where `slack` is 0."""
    below = value - slack if slack else math.nextafter(value, -math.inf)
    return distribution.cdf(value + slack) - distribution.cdf(below)


def is_numeric(distribution: Distribution) -> bool:
    """Whether a distribution gives numbers."""
    return are_numbers(distribution.support())


def are_numbers(bounds: Iterable[Any]) -> bool:
    """Whether all bounds of a support are numbers, or infinite."""
    return all(is_number(bound) or bound in UNBOUNDED for bound in bounds)


def check_nesting(owner: Distribution) -> None:
    """Raise ConfigurationError if a distribution is made of others, and these of others, too deep."""
    if _nesting(owner) > DEEPEST:
        raise ConfigurationError(f"{owner.name}: distributions are nested more than {DEEPEST} deep")


def parts_of(owner: Distribution) -> Iterator[Distribution]:
    """The distributions that one is made of."""
    for value in vars(owner).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Distribution):
                yield part


def _nesting(owner: Distribution) -> int:
    return 1 + max(map(_nesting, parts_of(owner)), default=0)


def _combined(operator: str, left: Distribution | Number, right: Distribution | Number) -> Distribution:
    from simworld.distributions.arithmetic import Combination  # which is a Distribution itself

    return Combination(operator, left, right)
