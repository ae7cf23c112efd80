"""What is called in processes of its own, for which it has to be in a module."""

import os
import time
from collections.abc import Callable

from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError


def dividing(by: int) -> Callable[[int], tuple[float, int]]:
    """What divides, and says where."""

    def answer(number: int) -> tuple[float, int]:
        if number < 0:
            raise ConfigurationError(f"number: must be at least 0, got {number}")
        return number / by, os.getpid()

    return answer


def sleeping() -> Callable[[float], int]:
    """What says where it is after some seconds."""
    return lambda seconds: time.sleep(seconds) or os.getpid()


def repeating() -> Callable[[EnvConfig], EnvConfig]:
    """What answers with what it is asked."""
    return lambda asked: asked
