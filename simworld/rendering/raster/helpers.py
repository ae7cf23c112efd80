"""Threads that work beside the one that calls them, which an interrupt (Ctrl-C) may end anywhere."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

Part = TypeVar("Part")
Reply = SimpleQueue[BaseException | None]
Tasks = SimpleQueue[tuple[Callable[[], object], Reply] | None]


class Helpers:
    """At the most `count` threads, made when there is work, and anew in a forked process, to which none come along.

    All waiting is for simple queues, of which each call is whole: in executors and conditions an interrupt leaves locks
    behind. Where it came in between, so that it is not known what is at work, all threads are asked.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._process = os.getpid()
        self._tasks: list[Tasks] = []
        self._replies: list[Reply] = []
        self._idle = True

    def start(self, work: Callable[[Part], object], parts: Sequence[Part]) -> None:
        """Do parts of some work side by side, one in each thread, when all that was started before is done."""
        self.rest()
        self._idle = False
        while len(self._tasks) < len(parts):
            tasks: Tasks = SimpleQueue()
            Thread(target=_serve, args=(tasks,), daemon=True).start()
            self._tasks.append(tasks)
        replies: list[Reply] = [SimpleQueue() for _ in parts]
        for tasks, part, reply in zip(self._tasks, parts, replies, strict=False):
            tasks.put((partial(work, part), reply))
        self._replies = replies

    def finish(self) -> None:
        """Wait until all is done; the first error in it is raised."""
        replies, self._replies = self._replies, []
        if not replies or self._process != os.getpid():
            self.rest()
            return
        errors = [reply.get() for reply in replies]
        self._idle = True
        for error in errors:
            if error is not None:
                raise error

    def rest(self) -> None:
        """Wait until all is done, whatever became of it."""
        if self._process != os.getpid():
            self._process, self._tasks, self._idle = os.getpid(), [], True
        if not self._idle:
            replies: list[Reply] = [SimpleQueue() for _ in self._tasks]
            for tasks, reply in zip(self._tasks, replies, strict=True):
                tasks.put((_nothing, reply))
            for reply in replies:
                reply.get()
            self._idle = True

    def close(self) -> None:
        """Send the threads away, when they are done; more work makes new ones."""
        for tasks in self._tasks:
            tasks.put(None)
        self._tasks, self._idle = [], True

    def __del__(self) -> None:
        self.close()


def _nothing() -> None:
    pass


def _serve(tasks: Tasks) -> None:
    while (task := tasks.get()) is not None:
        work, reply = task
        error = None
        try:
            work()
        except BaseException as raised:
            error = raised
        reply.put(error)
        # While it waits, it holds nothing.
        del task, work, reply, error
