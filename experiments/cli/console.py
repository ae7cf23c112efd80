"""What the command line prints: progress with rates and time left, tables, and one clear line for an error."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from simworld.experiments.cli import interrupts
from simworld.experiments.cli.start import send_nowhere

if TYPE_CHECKING:
    from simworld.randomization.quotas.tally import Report


class _Messages:
    """Standard error: where it takes nothing, nothing is said, and the work goes on."""

    def write(self, text: str) -> None:
        """Write, if that can be."""
        self._try(sys.stderr.write, text)

    def flush(self) -> None:
        """Flush, if that can be."""
        self._try(sys.stderr.flush)

    def _try(self, write: Callable[..., Any], *arguments: str) -> None:
        try:
            write(*arguments)
        except OSError:
            send_nowhere(2)

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


_SHOW_CURSOR = "\n\x1b[?25h"
"""On a line of its own, with the cursor that a display hides (DECTCEM of VT terminals)."""

console = Console()
errors = Console(file=cast(IO[str], _Messages()))


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="dim")


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, from the first time that the function it gives is told how many are done.

    It may be told too of how many, and of what.
    """
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors)
    task = bar.add_task(description, total=total)

    def tell(done: int, total: int | None = None, what: str | None = None) -> None:
        _start(bar)
        bar.update(task, completed=done, total=total, description=what)

    with _given_back(bar):
        yield tell


@contextmanager
def quota_progress(budget: int) -> Iterator[Callable[["Report"], None]]:
    """Show a search for quotas of which the function it gives is told; the last report is printed at the end.

    While it goes on, a terminal at standard error has a bar for the candidates of `budget` and one for each cell.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bars = Progress(*columns, console=errors, transient=True, disable=not errors.is_interactive)
    last: list[Report] = []

    def tell(report: "Report") -> None:
        last[:] = [report]
        rows = [("candidates", report.candidates, budget)]
        rows += [(f"{tally.feature} {tally.cell}", tally.met, tally.asked) for tally in report.tallies if tally.asked]
        if not bars.tasks:
            for name, _, total in rows:
                bars.add_task(name, total=total)
        for task, (_, done, _) in zip(bars.task_ids, rows, strict=True):
            bars.update(task, completed=done)
        _start(bars)
        if report.stop:
            # What is made of the samples now has a bar of its own, and there can be only one display at a time.
            bars.stop()

    with _given_back(bars):
        yield tell
    for report in last:
        for line in str(report).splitlines():
            say(line)


def _start(display: Progress) -> None:
    if errors.is_terminal and not display.disable:
        interrupts.say(before=_SHOW_CURSOR)
    display.start()


@contextmanager
def _given_back(display: Progress) -> Iterator[None]:
    """Stop a display in the end, if it was started."""
    try:
        yield
    finally:
        if display.live.is_started:
            display.stop()
        interrupts.say(before="")


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table."""
    made = Table(title=Text(title, "italic"), title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column)
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    console.print(made)


def say(text: str | Text) -> None:
    """Print a line for a person; a string is printed as it is, without markup."""
    console.print(Text(text) if isinstance(text, str) else text, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print JSON for a program, and nothing else."""
    import json

    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def complain(message: str) -> None:
    """Print the one line of an error."""
    errors.print(Text.assemble(("error:", "bold red"), " ", " ".join(message.split())), soft_wrap=True)


def warn(message: str) -> None:
    """Print one line on standard error about what is done, but may not be what was wanted."""
    errors.print(Text.assemble(("warning:", "bold yellow"), " ", " ".join(message.split())), soft_wrap=True)


def note(message: str) -> None:
    """Print one line on standard error about what goes on."""
    errors.print(Text(" ".join(message.split())), soft_wrap=True)


def show_warnings_in_one_line() -> None:
    """Let Python's warnings, which would come with a line of code, be shown as other messages are."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        warn(str(message))

    warnings.showwarning = show
