"""The commands of `simworld`, one file each: it names its own `commands`, and is found by being here."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import typer


def found() -> Iterator[typer.Typer]:
    """The commands of every file of this folder, in the order of the files' names."""
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        yield import_module(f"{__name__}.{module.name}").commands
