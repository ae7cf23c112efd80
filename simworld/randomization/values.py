"""The values that distributions take and give: numbers, names and tuples, with their checks and their plain form."""

import math
from typing import Any

import numpy as np

from simworld.errors import ConfigurationError

Value = float | int | str | tuple[float, ...]
Number = float | int


def is_number(value: Any) -> bool:
    """Whether `value` is a finite int or float; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_numbers(owner: Any, *numbers: Any) -> None:
    """Raise ConfigurationError if one of the arguments of `owner` is no finite number."""
    if not all(is_number(number) for number in numbers):
        raise ConfigurationError(f"{owner!r}: its arguments must be finite numbers")


def check_range(owner: Any, low: Any, high: Any) -> None:
    """Raise ConfigurationError if `low` and `high` of `owner` are no range."""
    check_numbers(owner, low, high)
    if low > high:
        raise ConfigurationError(f"{owner!r}: low must be at most high")


def immutable(value: Any) -> Any:
    """Lists and arrays as tuples, NumPy's numbers as Python's, anything else as it is."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return tuple(value) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Tuples as lists, anything else as it is."""
    return list(value) if isinstance(value, tuple) else value
