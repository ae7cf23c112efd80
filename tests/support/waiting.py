"""Waiting for what another process does, however busy the machine is."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 300.0
"""Seconds within which a process that is not stuck has done what is waited for."""


def wait_for(done: Callable[[], object], what: str) -> None:
    """Wait until something is so; fails where it does not come to be."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Whether a process has not ended, by its number; one that has ended may be known for seconds more."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
