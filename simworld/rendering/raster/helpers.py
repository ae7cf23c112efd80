"""Threads that work beside the one that calls them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Part = TypeVar("Part")


class Helpers:
    """At the most `count` threads, made when there is work, and anew in a forked process, to which none come along."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._doing: list[Future[None]] = []

    def start(self, work: Callable[[Part], None], parts: Sequence[Part]) -> None:
        """Do the parts of some work side by side, when all that was started before is done."""
        self.rest()
        if self._pool is None and parts:
            self._pool = ThreadPoolExecutor(self.count)
        for part in parts:
            assert self._pool is not None
            self._doing.append(self._pool.submit(work, part))

    def rest(self) -> list[Future[None]]:
        """Wait until all is done, also that for which nobody waited to the end, as it was interrupted; what that is."""
        if self._process != os.getpid():
            self._pool, self._process, self._doing = None, os.getpid(), []
        wait(self._doing)
        done, self._doing = self._doing, []
        return done

    def finish(self) -> None:
        """Wait until all is done; the first error in it is raised."""
        for one in self.rest():
            one.result()

    def close(self) -> None:
        """Send the threads away; more work makes new ones."""
        self.rest()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
