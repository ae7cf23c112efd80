"""PyBullet, imported without the line it prints on standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from simworld.errors import ConfigurationError


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what C code prints on standard error to nowhere."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _quiet():
    import pybullet as bullet

__all__ = ["bullet", "connect"]


def connect() -> int:
    """A new client without a window, or ConfigurationError if there is none."""
    client: int = bullet.connect(bullet.DIRECT)
    if client < 0:
        raise ConfigurationError("Bullet has no free client: close worlds that are not used any more")
    return client
