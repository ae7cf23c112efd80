"""Memory that a process keeps for its next arrays."""

import ctypes
import sys

_TRIM, _MAP = -1, -3
"""Of mallopt(3): how much may lie unused before it is given back, and what size is asked of the system alone."""
_MOST_MAPPED = 2**25
"""Bytes: the most that it takes."""


def keep_memory() -> bool:
    """Have what arrays leave be used by the next ones, in this process and to its end: whether it can be done.

    Without, glibc gives larger ones back to the system, which clears each page that it gives again: of learning from
    small images that is a fourth of the time. The process stays as large as it once was.
    """
    if sys.platform != "linux" or not hasattr(library := ctypes.CDLL(None), "mallopt"):
        return False
    return bool(library.mallopt(_MAP, _MOST_MAPPED) and library.mallopt(_TRIM, 2**31 - 1))
