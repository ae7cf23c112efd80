"""What the command line prints: progress with rates and time left, tables, and one clear line for an error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

console = Console()
errors = Console(stderr=True)


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="dim")


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, from the first time that the function it gives is told how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors)
    task = bar.add_task(description, total=total)

    def tell(done: int) -> None:
        bar.start()
        bar.update(task, completed=done)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


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
