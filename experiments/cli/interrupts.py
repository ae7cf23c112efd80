"""Ctrl-C and SIGTERM end a command at once, with one line and with 130.

There is nothing to put in order: whatever is written is whole after a kill at any instant.
"""

import os
import signal
from types import FrameType  # nothing else: this comes before what takes time to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CODE = 130
_words = {"before": "", "after": ""}
_first: "list[Callable[[], object]]" = []


def end_when_interrupted() -> None:
    """Let SIGINT (unless it is ignored) and SIGTERM end this process wherever it is."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def say(**words: str) -> None:
    """What is said `before` the line, where a display is in the way, and `after` it, of going on; the rest stays."""
    _words.update(words)


def first(action: "Callable[[], object]") -> None:
    """What an interrupt does before this process ends, such as to end those that it started."""
    _first.append(action)


def end() -> None:
    """End this process, and say that it was interrupted."""
    try:
        for action in _first:
            action()
        os.write(2, f"{_words['before']}error: interrupted{_words['after']}\n".encode())
    finally:
        os._exit(CODE)


def _end(number: int, frame: FrameType | None) -> None:
    end()
