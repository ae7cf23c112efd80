"""Processes that are killed while they write."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

FORK = multiprocessing.get_context("fork")


def forked(action: Callable[[], None]) -> int | None:
    """The exit code of an action in a process of its own; -9 where it was killed."""
    process = FORK.Process(target=action)
    process.start()
    process.join()
    return process.exitcode


def killed_at(replacement: int, action: Callable[[], object]) -> int | None:
    """The exit code of an action that is killed instead of putting a file in its place, after so many files."""

    def dying() -> None:
        left, replace = replacement, os.replace

        def killing(source: Path, target: Path) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            replace(source, target)

        os.replace = killing  # type: ignore[assignment]
        action()

    return forked(dying)
