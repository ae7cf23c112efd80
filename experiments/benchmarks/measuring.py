"""What benchmarks share: both clocks, medians with quartiles, bars, and staying on some cores."""

import os
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np


class Seconds(NamedTuple):
    """Time on the wall, and time that this process computed: other work on the machine lengthens the first alone."""

    wall: float
    cpu: float


class Bar(NamedTuple):
    """What is wanted of a figure: at least `bar`, or at most; `cpu` is the figure by the time that was computed."""

    what: str
    measured: float | None
    bar: float
    at_most: bool = False
    cpu: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of the results, with whether the bar is met, None where nothing could be measured."""
        rule, sign = ("at most", -1) if self.at_most else ("at least", 1)
        met = None if self.measured is None else sign * self.measured >= sign * self.bar
        figures = {"measured": self.measured, "in CPU time": self.cpu}
        return {"what": self.what, **figures, "rule": rule, "bar": self.bar, "met": met}


def now() -> Seconds:
    """Both clocks."""
    return Seconds(time.perf_counter(), time.process_time())


def since(begin: Seconds, count: int = 1) -> Seconds:
    """Seconds from `begin` until now of each of `count` things."""
    return between(begin, now(), count)


def between(begin: Seconds, end: Seconds, count: int = 1) -> Seconds:
    """Seconds from `begin` to `end` of each of `count` things."""
    return Seconds((end.wall - begin.wall) / count, (end.cpu - begin.cpu) / count)


def clocks(seconds: Iterable[Seconds]) -> tuple[list[float], list[float]]:
    """Those of each clock."""
    seconds = list(seconds)
    return [s.wall for s in seconds], [s.cpu for s in seconds]


def ratios(numerators: Iterable[float], denominators: Iterable[float]) -> list[float]:
    """Round by round."""
    return [n / d for n, d in zip(numerators, denominators, strict=True)]


def spread(values: Sequence[float], digits: int) -> dict[str, Any]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": round(middle, digits), "quartiles": [round(low, digits), round(high, digits)]}


def spreads(what: str, unit: str, seconds: Sequence[Seconds], scale: float, digits: int) -> dict[str, Any]:
    """Of both clocks, in a unit of which a second has `scale`."""
    wall, cpu = (spread([scale * s for s in clock], digits) for clock in clocks(seconds))
    return {f"{what} {unit}": wall, f"{what} CPU {unit}": cpu}


def calibrate() -> Seconds:
    """Seconds of a fixed piece of Python and NumPy, on one thread: how fast the machine is now."""
    values = np.arange(200_000, dtype=np.float64)
    begin = now()
    sum(i * i for i in range(200_000))
    for _ in range(10):
        np.sort(np.sin(values))
    return since(begin)


def cores() -> list[int]:
    """Those that this process may use; empty where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def pinned(chosen: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and those it starts, on some cores; where the system cannot, nothing happens."""
    before = cores()
    if before:
        os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)
