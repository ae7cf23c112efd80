"""Ctrl-C and SIGTERM end a command wherever it is, once, with one line and with 130."""

import os
import signal
import sys
from types import FrameType  # nothing else: see `leave_when_interrupted`

CODE = 130
_SOON = 0.01  # seconds
_NOT_WITHIN = ("llvmlite.", "importlib._bootstrap")
"""Modules whose C code calls Python and takes what is raised there for a failure of its own, or for none."""


class Interrupted(KeyboardInterrupt):
    """The end of a command.

    Not KeyboardInterrupt itself: once that has passed through `exec`, Python kills itself at its end, caught or not.
    """


def leave_when_interrupted() -> None:
    """Let SIGINT (unless it is ignored) and SIGTERM end the process at once, as long as there is nothing to clean up.

    Modules that are being imported need not expect an exception, and some swallow it.
    """
    _handle(_leave)


def end_with_interrupts() -> None:
    """Let SIGINT (unless it is ignored) and SIGTERM raise Interrupted in the main thread, and lose none.

    Python drops what is raised inside a callback from C or a finalizer, and modules that are being imported may turn it
    into something else; there the interrupt comes again a little later.
    While an interrupt is under way, further ones are ignored, so that what it ends is put in order.
    """
    _handle(_interrupt)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt)
    report = sys.unraisablehook

    def repeat(dropped: "sys.UnraisableHookArgs") -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            _come_again()
        else:
            report(dropped)

    sys.unraisablehook = repeat


def ignore_interrupts() -> None:
    """Let what is written at the end be written: what would raise Interrupted does nothing any more."""
    for name in ("SIGINT", "SIGTERM", "SIGALRM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)


def _handle(handler: "signal._HANDLER") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, b"error: interrupted\n")
    finally:
        os._exit(CODE)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_under_way(sys.exception()):
        return
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_NOT_WITHIN):
            return _come_again()
        frame = frame.f_back
    raise Interrupted


def _is_under_way(error: BaseException | None) -> bool:
    """Whether an interrupt is being handled: it, or what came of it, is the exception of a `finally` or an `except`."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _come_again() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _SOON)
    else:  # Windows
        from threading import Timer

        Timer(_SOON, signal.raise_signal, [signal.SIGINT]).start()
