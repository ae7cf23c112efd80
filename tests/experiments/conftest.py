"""What tests of commands are given."""

import io

import pytest
from rich.console import Console

from simworld.experiments.cli import console


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal is sent as standard error."""
    written = io.StringIO()
    screen = Console(file=written, force_terminal=True, force_interactive=True, width=100)
    monkeypatch.setattr(console, "errors", screen)
    return written
