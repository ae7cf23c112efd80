"""What the numbers of an action are."""

import math
from typing import Any, NamedTuple

import numpy as np

from simworld.errors import ConfigurationError, shown
from simworld.geometry import Array


class ActionNumber(NamedTuple):
    """One number of an action: its name, what -1 and 1 stand for, in `unit`, and what it means."""

    name: str
    low: float
    high: float
    unit: str
    meaning: str


def as_action(action: Any, size: int) -> Array:
    """An action as numbers (size,); ConfigurationError for anything but `size` finite numbers."""
    try:
        given = np.asarray(action)
        numbers = given.astype(np.float64, copy=False) if given.dtype.kind in "biuf" else None
        # The usual, quickly: this is asked twice in every step.
        if numbers is not None and numbers.shape == (size,) and math.isfinite(sum(numbers.tolist())):
            return numbers
    except (TypeError, ValueError, RuntimeError):
        numbers = None
    if numbers is None or numbers.shape != (size,) or not np.isfinite(numbers).all():
        raise ConfigurationError(f"an action is {size} finite numbers in -1..1, got {shown(action)}")
    return numbers
