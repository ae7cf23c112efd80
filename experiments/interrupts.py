"""Ctrl-C and SIGTERM end a command wherever it is."""

import signal
import sys
from types import FrameType
from typing import Any

_SOON = 0.01  # seconds


def end_with_interrupts() -> None:
    """Let SIGINT (unless it is ignored) and SIGTERM raise KeyboardInterrupt in the main thread, and lose none.

    Python drops what is raised inside a callback from C or a finalizer; there the interrupt comes again a little later.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    report = sys.unraisablehook

    def repeat(dropped: Any) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _SOON)
        else:
            report(dropped)

    sys.unraisablehook = repeat


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("llvmlite."):
            # numba's compiler hands its result over in a callback: dropped there, numba would find none and fail.
            signal.setitimer(signal.ITIMER_REAL, _SOON)
            return
        frame = frame.f_back
    raise KeyboardInterrupt
