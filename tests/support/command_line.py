"""Commands of simworld as tests run them."""

import io
import resource
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

from simworld.experiments.cli import console
from simworld.experiments.cli.app import app

COMMAND = [sys.executable, "-m", "simworld.experiments.cli.app"]


class Result(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def simworld(*arguments: object) -> Result:
    """A command in this process, as a start takes a second; what is about processes starts them."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default")
        console.show_warnings_in_one_line()
        try:
            app([str(argument) for argument in arguments], prog_name="simworld")
        except SystemExit as stop:
            code = stop.code
    return Result(int(code or 0), out.getvalue(), err.getvalue())


def simworld_apart(*arguments: object, limit_file_size: int) -> subprocess.CompletedProcess[str]:
    """A command in a process whose files the system itself keeps that small."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))

    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, preexec_fn=limit
    )


def assert_refused(result: Result, *words: str) -> None:
    """Exit code 2 and one line that names what was wrong."""
    assert result.returncode == 2, result
    # Where a machine does something for the first time, what is waited for is said too.
    lines = [line for line in result.stderr.strip().splitlines() if " for the first time" not in line]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]
