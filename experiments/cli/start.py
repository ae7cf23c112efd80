"""How a command of simworld begins: imports nothing that takes time before streams and interrupts are in order."""

import io
import os
import sys

if __name__ == "__main__":  # see `command_line`
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))

from simworld.experiments.cli.interrupts import end_when_interrupted


def main() -> None:
    """Run the command that was asked for."""
    begin()
    from simworld.experiments.cli.app import main

    main()


def begin() -> None:
    """Put streams and interrupts in order; to be called before what takes time to import."""
    end_when_interrupted()
    _open_streams()
    if not os.environ.get("COLUMNS", "80").strip("0"):  # of something that is no terminal
        del os.environ["COLUMNS"]


def command_line(*arguments: str) -> list[str]:
    """What runs a command of simworld in a process of its own, whatever modules there are in the current folder."""
    return [sys.executable, "-P", __file__, *arguments]


def _open_streams() -> None:
    """Connect standard streams that are closed with nowhere, as the next file to be opened would get their number.

    What an encoding has no letter for is written as an escape sequence.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            send_nowhere(number)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
        elif number and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def send_nowhere(number: int) -> None:
    """Connect a standard stream with the null device."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(nowhere, number)
        os.close(nowhere)


if __name__ == "__main__":
    main()
