"""The values that distributions take and give: numbers, names and tuples, with their checks, plain form and text."""

import bisect
import itertools
import keyword
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any, TypeGuard

import numpy as np

from simworld.errors import ConfigurationError, shown
from simworld.streams import Generator

Value = float | int | str | tuple[float, ...]
Number = float | int
Weights = tuple[float, ...] | None


DEEPEST, MOST_PARTS = 50, 20_000
"""How deep distributions may be nested, and how many parts their plain data may have."""

_LEVELS = 3  # of plain data, at most, for one of a distribution
_LARGEST = int(sys.float_info.max)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether `value` is a finite int or float; True and False are not, nor are numbers beyond the largest float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def check_plain(value: Any) -> None:
    """Raise ConfigurationError if plain data is nested too deep, has too many parts or a whole number beyond floats."""
    level, count = [value], 0
    for _ in range(_LEVELS * DEEPEST):
        count += len(level)
        if any(type(part) is int and abs(part) > _LARGEST for part in level):
            raise ConfigurationError(f"a whole number is too large: beyond {sys.float_info.max:g}")
        if count > MOST_PARTS:
            raise ConfigurationError(f"it has more than {MOST_PARTS:,} parts")
        # No more than would be too many: what is there many times, as by the aliases of YAML, may be astronomical.
        level = list(itertools.islice((inner for part in level for inner in _inside(part)), MOST_PARTS + 1))
        if not level:
            return
    raise ConfigurationError(f"it is nested more than {_LEVELS * DEEPEST} deep")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return itertools.chain(value.keys(), value.values())
    return value if isinstance(value, list | tuple) else ()


def is_numbers(value: Any, count: int) -> bool:
    """Whether `value` is a tuple of so many finite numbers."""
    return isinstance(value, tuple) and len(value) == count and all(map(is_number, value))


def is_point(value: Any) -> bool:
    """Whether `value` is a tuple of three finite numbers."""
    return is_numbers(value, 3)


def check_numbers(owner: Any, *numbers: Any) -> None:
    """Raise ConfigurationError if one of the arguments of `owner` is no finite number."""
    if not all(is_number(number) for number in numbers):
        raise ConfigurationError(f"{shown(owner)}: its arguments must be finite numbers")


def check_range(owner: Any, low: Any, high: Any) -> None:
    """Raise ConfigurationError if `low` and `high` of `owner` are no range."""
    check_numbers(owner, low, high)
    if low > high:
        raise ConfigurationError(f"{owner!r}: low must be at most high")


def check_probability(owner: Any, p: Any) -> None:
    """Raise ConfigurationError if `p`, asked of `owner`, is not from 0 to 1."""
    if not is_number(p) or not 0 <= p <= 1:
        raise ConfigurationError(f"{owner!r}: a probability must be from 0 to 1, got {p!r}")


def check_weights(owner: Any, weights: Any, count: int) -> None:
    """Raise ConfigurationError if `weights` of `owner` are neither None nor `count` numbers greater than 0."""
    if weights is None:
        return
    fits = isinstance(weights, tuple) and len(weights) == count
    if not fits or not all(is_number(weight) and weight > 0 for weight in weights):
        raise ConfigurationError(f"{owner!r}: weights must be {count} numbers greater than 0")


def shares(weights: Weights, count: int) -> tuple[float, ...]:
    """The probabilities (count,) that weights stand for; None stands for equal ones."""
    given = weights or (1.0,) * count
    total = sum(given)
    return tuple(weight / total for weight in given)


def pick(generator: Generator, weights: Weights, count: int) -> int:
    """Draw one of 0, ..., count - 1."""
    if weights is None:
        return int(generator.integers(count))
    sums = list(itertools.accumulate(weights))
    return min(bisect.bisect_right(sums, generator.random() * sums[-1]), count - 1)


def immutable(value: Any) -> Any:
    """Lists and arrays as tuples, also within each other, NumPy's numbers as Python's, anything else as it is."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return tuple(immutable(part) for part in value) if isinstance(value, list | tuple) else value


def addressed(parameters: Any) -> dict[str, Value]:
    """Values by address, as tuples where they were lists; what cannot be such raises ConfigurationError."""
    if not isinstance(parameters, Mapping):
        raise ConfigurationError(f"parameters: must be a mapping of addresses to values, got {shown(parameters)}")
    try:
        check_plain(parameters)
    except ConfigurationError as error:
        raise ConfigurationError(f"parameters: {error}") from None
    for address in parameters:
        if not isinstance(address, str):
            raise ConfigurationError(f"parameters: an address is a string, got {address!r}")
    return {address: immutable(value) for address, value in parameters.items()}


def plain(value: Any) -> Any:
    """What JSON can hold: tuples as lists, distributions as mappings, infinity as "inf", anything else as it is."""
    if hasattr(value, "to_plain"):
        return value.to_plain()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def is_word(value: Any) -> bool:
    """Whether `value` is a name that text gives without quotes."""
    return isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value) and value != "inf"


def text(value: Any) -> str:
    """A value as `simworld.distributions.text.parse` reads it."""
    if isinstance(value, tuple):
        return f"({', '.join(map(text, value))}{',' * (len(value) == 1)})"
    return repr(value) if isinstance(value, str) and not is_word(value) else str(value)


def first_at(cdf: Callable[[float], float], p: float, low: float, high: float) -> float:
    """The least number from `low` to `high` where a rising function reaches `p`, by up to 100 halvings."""
    if cdf(low) >= p:
        return low
    for _ in range(100):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if cdf(middle) >= p else (middle, high)
    return high


def normal_cdf(z: float) -> float:
    """The probability that a standard normal number is at most `z`, with full relative precision where z < 0."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def normal_quantile(p: float) -> float:
    """The standard normal number that a share `p` of them does not exceed; infinite at 0 and 1."""
    return NormalDist().inv_cdf(p) if 0 < p < 1 else math.copysign(math.inf, p - 0.5)


def normal_density(z: float) -> float:
    """The density of the standard normal distribution at `z`."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """The scalar product of two vectors."""
    return math.fsum(x * y for x, y in zip(a, b, strict=True))
