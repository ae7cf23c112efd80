"""Arithmetic on distributions, and reading distributions from plain data."""

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from simworld.distributions.expressions import (
    CLASSES,
    UNBOUNDED,
    Constant,
    Distribution,
    check_nesting,
    is_numeric,
    near,
    parts_of,
)
from simworld.distributions.halves import split_fields
from simworld.distributions.values import Number, check_plain, check_probability, first_at, immutable, is_number
from simworld.errors import ConfigurationError, shown
from simworld.streams import Generator

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

_STEPS = 1000


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


def _has_two(owner: Distribution) -> bool:
    """Whether a distribution has a sum, difference, product or ratio of two random ones in it."""
    random = isinstance(owner, Combination) and Constant not in (type(owner.left), type(owner.right))
    return random or any(map(_has_two, parts_of(owner)))


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
