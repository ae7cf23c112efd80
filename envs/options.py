"""Types of options: names, pixels and sizes, from whatever says them clearly."""

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, InstanceOf, PlainSerializer

from simworld.distributions.values import immutable
from simworld.errors import ConfigurationError, nearest
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization

MOST_PIXELS = 8192
Pixels = Annotated[int, BeforeValidator(immutable), Field(ge=1, le=MOST_PIXELS, strict=True)]


def _names(value: Any) -> tuple[Any, ...]:
    """A name or a list of names as a tuple; a set would have no order, and no JSON."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise ValueError("must be a name or a list of one or more names")
    return tuple(value)


def _size(value: Any) -> tuple[int, ...]:
    """A side, or width and height, as (width, height)."""
    given = immutable(value)
    size = given if isinstance(given, tuple) else (given, given)
    if len(size) != 2 or not all(type(side) is int and 1 <= side <= MOST_PIXELS for side in size):
        raise ValueError(f"must be a side or (width, height), whole pixels in 1..{MOST_PIXELS}")
    return size


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Size = Annotated[tuple[int, int], BeforeValidator(_size)]
Randomized = Annotated[
    InstanceOf[Randomization], BeforeValidator(as_randomization), PlainSerializer(Randomization.to_plain)
]
"""A randomization, also by a preset's name or as plain data, which it is in JSON."""


def check_names(key: str, names: tuple[str, ...], valid: Collection[str]) -> None:
    """Raise ConfigurationError unless there are names, and each, none of them twice, is one of the valid ones."""
    if not names:
        raise ConfigurationError(f"{key}: must be a name or a list of one or more names, got []")
    for name in names:
        if name not in valid:
            raise ConfigurationError(f"{key}: unknown {name!r}{nearest(name, valid)}")
        if names.count(name) > 1:
            raise ConfigurationError(f"{key}: {name!r} is there more than once, got {[*names]}")


def whole_number(name: str, value: Any, least: int = 0) -> int:
    """A number that may be Python's or NumPy's as an int; what is not whole or too small raises ConfigurationError."""
    number = immutable(value)
    if type(number) is not int or number < least:
        raise ConfigurationError(f"{name}: must be a whole number, at least {least}, got {value!r}")
    return number
