"""What a distribution is, constants, arithmetic on distributions, and reading them from plain data."""

import itertools
import math
import operator
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from simworld.distributions.halves import split_fields
from simworld.distributions.values import (
    DEEPEST,
    Number,
    Value,
    check_plain,
    check_probability,
    first_at,
    immutable,
    is_number,
    plain,
    text,
)
from simworld.errors import ConfigurationError, shown
from simworld.streams import Generator

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
UNBOUNDED = (-math.inf, math.inf)
"""The support of what may be any number."""

CLASSES: dict[str, type["Distribution"]] = {}
"""The distributions by name."""

_STEPS = 1000


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


@dataclass(frozen=True, init=False, repr=False)
class Combination(Distribution):
    """Arithmetic on two distributions, drawn one after the other.

    With a constant side, cdf, quantile and density are exact. With two random ones they are means over 1000 quantiles
    of one side, by which the cdf is within 0.001; where that of the other side jumps, so is what the density gives.
    """

    operator: str
    left: Distribution
    right: Distribution

    def __init__(self, operator: str, left: Distribution | Number, right: Distribution | Number) -> None:
        for name, value in (("operator", operator), ("left", from_plain(left)), ("right", from_plain(right))):
            object.__setattr__(self, name, value)
        if operator not in OPERATORS:
            raise ConfigurationError(f"{self!r}: the operator must be one of {list(OPERATORS)}")
        check_nesting(self)
        if not (is_numeric(self.left) and is_numeric(self.right)):
            raise ConfigurationError(f"{shown(self)}: both sides must be numbers")
        if operator == "/" and min(divisor := self.right.support()) <= 0 <= max(divisor):
            raise ConfigurationError(f"{shown(self)}: the divisor must not reach or cross 0")

    def __call__(self, generator: Generator) -> Any:
        left, right = self.left(generator), self.right(generator)
        return OPERATORS[self.operator](left, right)

    def support(self) -> tuple[Any, ...]:
        # Monotone in either side, so that the corners bound it.
        sides = self.left.support(), self.right.support()
        ends = [(min(side), max(side)) for side in sides]
        corners = [OPERATORS[self.operator](*corner) for corner in itertools.product(*ends)]
        if any(math.isnan(corner) for corner in corners):
            return UNBOUNDED
        whole = self.operator != "/" and all(isinstance(value, int) for side in sides for value in side)
        return (min(corners), max(corners)) if whole else (float(min(corners)), float(max(corners)))

    @property
    def continuous(self) -> bool:
        return self.left.continuous or self.right.continuous

    def density(self, value: Any) -> float:
        return self._mean(_density_at, value) if is_number(value) else 0.0

    def cdf(self, value: float) -> float:
        return self._mean(_cdf_at, value)

    def quantile(self, p: float) -> Any:
        check_probability(self, p)
        outer, inner = self._outer_and_inner()
        if isinstance(outer, Constant):
            return self._apply(inner.quantile(p if self._rises() else _other(p, inner)))
        low, high = min(self.support()), max(self.support())
        if p in (0, 1):
            return high if p else low
        low, high = max(low, -1.0), min(high, 1.0)
        while low > min(self.support()) and self.cdf(low) >= p:
            low = max(2 * min(low, -1.0), min(self.support()))
        while high < max(self.support()) and self.cdf(high) < p:
            high = min(2 * max(high, 1.0), max(self.support()))
        return first_at(self.cdf, p, low, high)

    def between(self, low: float, high: float) -> "Distribution":
        outer, inner = self._outer_and_inner()
        if not isinstance(outer, Constant):
            raise ConfigurationError(f"{self}: has two random sides, and cannot be cut")
        ends = self.cdf(low), self.cdf(high)
        first, last = ends if self._rises() else (1 - ends[1], 1 - ends[0])
        part = inner.between(inner.quantile(first), inner.quantile(last))
        left, right = (part, outer) if self._inner() == "left" else (outer, part)
        return Combination(self.operator, left, right)

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return split_fields(self, holdout, "left", "right")

    def _inner(self) -> str:
        """The side that is looked at for one value of the other: the random one, of two the continuous or unbounded."""

        def rank(side: Distribution) -> tuple[bool, ...]:
            unbounded = math.inf in map(abs, side.support())
            return not isinstance(side, Constant), side.continuous, isinstance(side, Combination), unbounded

        return "left" if rank(self.left) > rank(self.right) else "right"

    def _outer_and_inner(self) -> tuple[Distribution, Distribution]:
        return (self.right, self.left) if self._inner() == "left" else (self.left, self.right)

    def _apply(self, value: float) -> Any:
        """The result for a value of the inner side, where the other is constant."""
        outer, _ = self._outer_and_inner()
        sides = (value, outer.quantile(0)) if self._inner() == "left" else (outer.quantile(0), value)
        return OPERATORS[self.operator](*sides)

    def _rises(self) -> bool:
        """Whether the result rises with the inner side, where the other is constant."""
        outer, left = self._outer_and_inner()[0].quantile(0), self._inner() == "left"
        match self.operator:
            case "+":
                return True
            case "-":
                return left
        return bool(outer >= 0 if self.operator == "*" or left else outer <= 0)

    def _mean(self, at: "_At", value: float) -> float:
        """The mean over the outer side of what `at` finds of the inner side at `value` of the result."""
        outer, inner = self._outer_and_inner()
        steps = 1 if isinstance(outer, Constant) else _STEPS
        if steps > 1 and (_has_two(outer) or _has_two(inner)):
            raise ConfigurationError(f"{shown(self)}: has more than two random parts, and so no cdf or density")
        left = self._inner() == "left"
        sign = math.copysign(1.0, inner.support()[0]) if self.operator == "/" and not left else 0.0

        def given(q: float) -> float:
            if q == 0 and self.operator in "*/":
                return at(Constant(0), value, 1.0, 0.0)
            if sign and value * q * sign <= 0:
                return at(Constant(0), -q * sign, 1.0, 0.0)  # the result never has the sign of `value`
            there, slope = _solve(self.operator, left, value, q)
            # Rounding must not miss the values of a discrete distribution.
            slack = 0.0 if inner.continuous else 1e-14 * (abs(there) + abs(value * slope))
            return at(inner, there, slope, slack)

        return math.fsum(given(outer.quantile((i + 0.5) / steps)) for i in range(steps)) / steps

    def to_plain(self) -> Any:
        return {self.operator: [self.left.to_plain(), self.right.to_plain()]}

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"

    def __str__(self) -> str:
        def side(part: Distribution, weakest: str) -> str:
            return f"({part})" if isinstance(part, Combination) and part.operator in weakest else str(part)

        weaker = "+-" if self.operator in "*/" else ""
        return (
            f"{side(self.left, weaker)} {self.operator} {side(self.right, '+-*/' if self.operator in '*/' else '+-')}"
        )


_At = Callable[[Distribution, float, float, float], float]


def _solve(operator: str, left: bool, value: float, q: float) -> tuple[float, float]:
    """Where one side, the left or not, makes the result `value` if the other is `q`, and the derivative by `value`."""
    match operator, left:
        case "+", _:
            return value - q, 1.0
        case "-", True:
            return value + q, 1.0
        case "-", False:
            return q - value, -1.0
        case "*", _:
            return value / q, 1 / q
        case "/", True:
            return value * q, q
    return q / value, -q / value / value


def _cdf_at(inner: Distribution, there: float, slope: float, slack: float) -> float:
    return inner.cdf(there + slack) if slope > 0 else 1 - inner.cdf(there - slack)


def _density_at(inner: Distribution, there: float, slope: float, slack: float) -> float:
    return abs(slope) * inner.density(there) if inner.continuous else near(inner, there, slack)


def _other(p: float, distribution: Distribution) -> float:
    """1 - p, beyond the rounding at the steps of a discrete distribution."""
    return 1 - p if distribution.continuous else min(1.0, 1 - p + 1e-9)


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


def _parts_of(owner: Distribution) -> Iterator[Distribution]:
    for value in vars(owner).values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Distribution):
                yield part


def _nesting(owner: Distribution) -> int:
    return 1 + max(map(_nesting, _parts_of(owner)), default=0)


def _has_two(owner: Distribution) -> bool:
    """Whether a distribution has a sum, difference, product or ratio of two random ones in it."""
    random = isinstance(owner, Combination) and Constant not in (type(owner.left), type(owner.right))
    return random or any(map(_has_two, _parts_of(owner)))


def build(name: str, arguments: Any) -> Distribution:
    """The distribution, or the expression with the operator, called `name`, from a list or a mapping of arguments."""
    named = isinstance(arguments, Mapping)
    try:
        given: Any = {str(key): immutable(value) for key, value in arguments.items()} if named else tuple(arguments)
        if name in OPERATORS:
            return Combination(name, **given) if named else Combination(name, *given)
        return CLASSES[name].from_arguments(**given) if named else CLASSES[name].from_arguments(*given)
    except ArithmeticError as error:
        raise ConfigurationError(f"{name}: its numbers are too large or too small: {error}") from None
    except TypeError:
        kind: Any = CLASSES.get(name, Combination)
        takes = [field.name for field in fields(kind) if field.name != "operator"]
        raise ConfigurationError(f"{name}({', '.join(takes)}): not its arguments: {shown(arguments)}") from None


def from_plain(value: Any) -> Distribution:
    """A distribution as it is, a mapping as `to_plain` gives it, anything else as a Constant."""
    if isinstance(value, Distribution):
        return value
    check_plain(value)
    if not isinstance(value, Mapping):
        return Constant(value)
    name = next(iter(value), None)
    if len(value) != 1 or name not in {*CLASSES, *OPERATORS}:
        names = [*CLASSES, *OPERATORS]
        raise ConfigurationError(f"a distribution is one of {names} with a list of its arguments, got {shown(value)}")
    return build(name, value[name])
