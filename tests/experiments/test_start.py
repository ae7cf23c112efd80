"""What surrounds a command: closed streams, encodings, full devices, interrupts at any time, modules of its names."""

import io
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from waiting import PATIENCE

from simworld.experiments.cli import console, start
from simworld.experiments.cli.app import app
from simworld.experiments.recipes.learning import policies

COMMAND = [sys.executable, "-m", "simworld.experiments.cli.app"]
REACH = "simworld/Reach-v0"


def run(*arguments: object, close: tuple[int, ...] = (), **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command, with some of the standard streams closed."""

    def shut() -> None:
        for number in close:
            os.close(number)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run([*COMMAND, *map(str, arguments)], text=True, timeout=120, preexec_fn=shut, **pipes)


@pytest.mark.parametrize("close", [(2,), (1,), (1, 2), (0, 1, 2)], ids=str)
def test_closed_streams_change_nothing(close: tuple[int, ...]) -> None:
    result = run("envs", "--json", close=close)
    assert result.returncode == 0
    assert result.stderr == "" and (REACH in result.stdout) == (1 not in close)


def test_with_closed_streams_work_is_done_and_nothing_is_printed_into_it(tmp_path: Path) -> None:
    result = run("rollout", REACH, "--episodes", 1, "--out", tmp_path, close=(0, 1, 2))
    assert result.returncode == 0 and (tmp_path / "manifest.json").is_file()
    assert run("envs", "--foo", close=(1, 2)).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only on Linux")
def test_a_device_that_takes_nothing_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        for arguments in (("--help",), ("envs",), ("envs", "--json")):
            result = run(*arguments, stdout=full)
            assert (result.returncode, result.stderr) == (2, "error: output: No space left on device\n")
        assert run("envs", stderr=full).returncode == 0
        assert run("envs", "--foo", stderr=full).returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_an_encoding_lacks_are_escaped(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    start._open_streams()
    console.say("\N{CHECK MARK} done")
    console.table("\N{GREEK SMALL LETTER ALPHA}", ["a"], [["\udce9"]])
    sys.stdout.flush()
    assert b"\\u2713 done" in written.getvalue() and b"\\u03b1" in written.getvalue()


def test_help_is_shown_in_any_encoding() -> None:
    result = run("images", "--help", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0 and "--quota" in result.stdout


def test_a_warning_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():  # which puts the function back as well
        warnings.simplefilter("always")
        console.show_warnings_in_one_line()
        warnings.warn("nothing can be\nkept", stacklevel=1)
    assert capsys.readouterr().err == "warning: nothing can be kept\n"


@pytest.mark.parametrize("columns", ["0", "", "60"])
def test_what_is_said_has_a_width(columns: str) -> None:
    for arguments in (("envs",), ("envs", "--help")):
        result = run(*arguments, env=os.environ | {"COLUMNS": columns})
        assert result.returncode == 0 and "nvironments" in result.stdout


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (EOFError("Ran out of input"), "error: a file ends too early: Ran out of input"),
        (MemoryError(), "error: there is not enough memory"),
        (OSError(28, "No space left on device"), "error: output: No space left on device"),
    ],
)
def test_what_goes_wrong_is_not_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(policies, "evaluate_policy", fail)
    with pytest.raises(SystemExit) as stop:
        app(["evaluate", REACH])
    assert stop.value.code == 2 and capsys.readouterr().err == line + "\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # of a process that is not the command's


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["collections.abc", "typer", "rich.console", "numpy"])
def test_an_interrupt_while_modules_are_imported_is_one_line(module: str, number: signal.Signals) -> None:
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "evaluate", REACH]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.split()[-1] == module:
            break
    process.send_signal(number)
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE)
    rest = [line for line in told.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, rest) == (130, ["error: interrupted"])


@pytest.mark.parametrize(
    "code",
    [
        "ctrl_c()",
        "try:\n    ctrl_c()\nexcept BaseException:\n    print('swallowed')",
        "try:\n    raise OSError\nfinally:\n    ctrl_c()",
        "import ctypes\nctypes.CFUNCTYPE(None)(ctrl_c)()",
        "exec('ctrl_c()')",
        "class Dropped:\n    def __del__(self):\n        ctrl_c()\nDropped()",
        "import threading\nthreading.Thread(target=time.sleep, args=(60,)).start()\nctrl_c()",
        "import atexit\natexit.register(ctrl_c)\nsys.exit(0)",
    ],
    ids=["anywhere", "except", "finally", "called from C", "exec", "a finalizer", "with threads", "at the end"],
)
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupt_ends_the_process_wherever_it_is(code: str, number: str) -> None:
    program = f"""
import os, signal, sys, time
from simworld.experiments.cli import interrupts
interrupts.end_when_interrupted()
interrupts.say(after="; go on")
def ctrl_c():
    os.kill(os.getpid(), signal.{number})
    time.sleep(10)
{code}
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "error: interrupted; go on\n")


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    """As in the background of a shell."""
    program = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from simworld.experiments.cli import interrupts
interrupts.end_when_interrupted()
os.kill(os.getpid(), signal.SIGINT)
print("goes on")
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).stdout == b"goes on\n"


def test_parts_are_run_whatever_modules_there_are_in_the_folder(tmp_path: Path) -> None:
    for name in ("random.py", "simworld.py", "typing.py"):
        (tmp_path / name).write_text("raise ImportError('the decoy was imported')")
    result = subprocess.run(start.command_line("envs"), cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0 and REACH in result.stdout
