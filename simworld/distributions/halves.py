"""Splitting distributions that are made of others."""

from dataclasses import replace
from typing import Any

from simworld.errors import ConfigurationError


def split_fields(owner: Any, holdout: float, *names: str) -> tuple[Any, Any]:
    """The halves of a distribution by the one random distribution among its fields `names`."""
    halves = {name: getattr(owner, name).split(holdout) for name in names}
    random = [name for name, (first, second) in halves.items() if first != second]
    if len(random) > 1:
        raise ConfigurationError(
            f"{owner}: cannot be split, because {' and '.join(random)} are random; split one of them"
        )
    if not random:
        return owner, owner
    first, second = halves[random[0]]
    return replace(owner, **{random[0]: first}), replace(owner, **{random[0]: second})


def split_first(owner: Any, holdout: float, *names: str) -> tuple[Any, Any]:
    """The halves of a distribution by the first random distribution among its fields `names`."""
    for name in names:
        first, second = split_fields(owner, holdout, name)
        if first != second:
            return first, second
    return owner, owner
