"""What surrounds a command: closed streams, encodings, full devices, interrupts at any time, modules of its names."""

import io
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from simworld.experiments import recipes
from simworld.experiments.cli import console, start
from simworld.experiments.cli.app import app

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

    monkeypatch.setattr(recipes, "evaluate_policy", fail)
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
    rest = [line for line in process.communicate(timeout=60)[1].splitlines() if not line.startswith("import time:")]
    assert (process.returncode, rest) == (130, ["error: interrupted"])


def interrupted(code: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run lines of code that are indented by four blanks, with interrupts in order."""
    program = f"""
import os, signal, sys
{before}
from simworld.experiments.cli.interrupts import end_with_interrupts, ignore_interrupts
end_with_interrupts()
def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)
    os.getpid()
try:
{code}
except KeyboardInterrupt:
    ctrl_c()
    ignore_interrupts()
    sys.exit(130)
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_further_interrupts_do_not_break_the_clean_up() -> None:
    code = """
    try:
        ctrl_c()
    finally:
        try:
            [ctrl_c() for _ in range(5)]
            raise OSError("in the clean-up")
        except OSError:
            ctrl_c()
            print("cleaned up")
"""
    result = interrupted(code)
    assert (result.returncode, result.stdout, result.stderr) == (130, "cleaned up\n", "")


def test_an_interrupt_that_was_swallowed_can_be_repeated() -> None:
    code = """
    try:
        ctrl_c()
    except BaseException:
        pass
    ctrl_c()
    print("lost")
"""
    result = interrupted(code)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


@pytest.mark.parametrize("before", ["", "del signal.setitimer, signal.SIGALRM"], ids=["timers", "as on Windows"])
def test_an_interrupt_that_is_dropped_comes_again(before: str) -> None:
    code = """
    import ctypes, time
    ctypes.CFUNCTYPE(None)(ctrl_c)()
    [time.sleep(0.1) for _ in range(200)]  # only on Windows does a thread's signal end a longer one
"""
    result = interrupted(code, before)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


def test_an_interrupt_within_exec_ends_with_130() -> None:
    result = interrupted("    exec('ctrl_c()')")  # after KeyboardInterrupt itself Python would kill itself at its end
    assert (result.returncode, result.stderr) == (130, "")


def test_parts_are_run_whatever_modules_there_are_in_the_folder(tmp_path: Path) -> None:
    for name in ("random.py", "simworld.py", "typing.py"):
        (tmp_path / name).write_text("raise ImportError('the decoy was imported')")
    result = subprocess.run(start.command_line("envs"), cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0 and REACH in result.stdout
