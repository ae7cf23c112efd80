"""The `simworld` command."""

# ruff: noqa: E402

from simworld.experiments.cli.start import begin, send_nowhere  # isort: skip

if __name__ == "__main__":
    begin()

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from simworld.errors import SimworldError
from simworld.experiments.cli import commands, interrupts
from simworld.experiments.cli.console import complain, show_warnings_in_one_line
from simworld.extras import extras

_UsageError: Any = typer.BadParameter.__mro__[1]  # typer names only this one of its subclasses


class _Commands(TyperGroup):
    """Turns what goes wrong in a command into one line and an exit code."""

    def main(self, args: Any = None, *others: Any, **options: Any) -> Any:
        arguments = sys.argv[1:] if args is None else list(args)
        interrupts.say(after=self._promise(*arguments[:1]))
        try:
            code = super().main(arguments or ["--help"], *others, **options | {"standalone_mode": False})
        except (_UsageError, OSError) as error:
            code = _explain(error)
        if code == interrupts.CODE:  # what typer makes of KeyboardInterrupt
            interrupts.end()
        sys.exit(_flushed() or code)

    def invoke(self, ctx: Any) -> Any:
        try:
            with extras():
                return super().invoke(ctx)
        except (SimworldError, OSError, MemoryError, EOFError) as error:  # the last would be taken for Ctrl-C by typer
            raise typer.Exit(_explain(error)) from None

    def _promise(self, name: str = "") -> str:
        """What an interrupted command says of going on, if anything."""
        command = self.commands.get(name)
        return (command and command.context_settings.get("obj")) or ""


def _explain(error: Exception) -> int:
    """Say in one line what went wrong; returns the exit code."""
    if isinstance(error, BrokenPipeError):  # who read the output has left
        return 1
    if isinstance(error, _UsageError):
        complain(error.format_message())
    elif isinstance(error, OSError):
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
    elif isinstance(error, MemoryError | EOFError):
        what = "there is not enough memory" if isinstance(error, MemoryError) else "a file ends too early"
        complain(f"{what}: {error}" if str(error) else what)
    else:
        complain(str(error))
    return 2


def _flushed() -> int:
    """Write out what was printed; where that fails, the exit code after one line."""
    try:
        sys.stdout.flush()
    except OSError as error:
        send_nowhere(1)  # what is still to be written at exit
        return _explain(error)
    return 0


app = typer.Typer(
    cls=_Commands,
    help="Robots that put things in a box: simulated, randomized, rendered, labelled, and learnt from.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _commands in commands.found():
    app.add_typer(_commands)


def main() -> None:
    """Run the command; it exits with 0, with 2 after one clear line about an error, or with 130 after Ctrl-C.

    SIGTERM is taken as Ctrl-C.
    """
    begin()
    show_warnings_in_one_line()
    app(prog_name="simworld")


if __name__ == "__main__":
    main()
