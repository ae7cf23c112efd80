"""How many processors there are to use."""

import os


def usable_cores() -> int:
    """Those that this process may run on, as far as the system says it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
