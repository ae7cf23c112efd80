"""Passes are compiled when they are first called, or by a process beside; what keeps one from being made is raised."""

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from numba.core.errors import TypingError

from simworld import late
from simworld.late import FAILED

SOURCE = """
    from simworld.kernels import kernel
    from simworld.late import Passes, call

    ADD, TIMES, WRONG = range(3)

    @kernel
    def add(a, b):
        return a + b

    @kernel
    def times(a, b):
        return a * b

    @kernel
    def wrong(a, b):
        return a.nothing

    @kernel
    def of_pass(table, k, a, b):
        return call(table, k, a, b)

    PASSES = Passes(__name__, "PASSES", [add, times, wrong])
"""


@pytest.fixture
def passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with passes, none of which is kept anywhere."""
    name = f"passes_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(SOURCE))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "loops"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(name)
    del sys.modules[name]


def made(passes: ModuleType) -> list[bool]:
    return [bool(loop.signatures) for loop in (passes.add, passes.times, passes.wrong)]


def test_a_pass_is_made_when_it_is_first_called(passes: ModuleType) -> None:
    assert made(passes) == [False, False, False]
    assert passes.of_pass(passes.PASSES.address, passes.TIMES, 6, 7) == 42
    assert made(passes) == [False, True, False]
    assert passes.of_pass(passes.PASSES.address, passes.TIMES, -6, 7) == -42
    assert passes.of_pass(passes.PASSES.address, passes.ADD, 6, 7) == 13
    passes.PASSES.check()


def test_what_keeps_a_pass_from_being_made_is_raised_once(passes: ModuleType) -> None:
    assert passes.of_pass(passes.PASSES.address, passes.WRONG, 1, 2) == FAILED
    with pytest.raises(TypingError, match="nothing"):
        passes.PASSES.check()
    passes.PASSES.check()
    assert passes.of_pass(passes.PASSES.address, passes.ADD, 1, 2) == 3


def test_an_interrupt_while_a_pass_is_made_is_not_lost(passes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(k: int) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(passes.PASSES, "_made", interrupted)
        assert passes.of_pass(passes.PASSES.address, passes.ADD, 1, 2) == FAILED
    with pytest.raises(KeyboardInterrupt):
        passes.PASSES.check()
    assert passes.of_pass(passes.PASSES.address, passes.ADD, 1, 2) == 3


def test_another_process_makes_passes_beside(passes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "usable_cores", lambda: 2)
    passes.PASSES.make_beside([passes.TIMES])
    assert passes.of_pass(passes.PASSES.address, passes.TIMES, 6, 7) == 42
    found: Any = passes.times
    assert sum(found.stats.cache_hits.values()) == 1  # what the other process has kept
    passes.PASSES.make_beside([passes.ADD])  # one of them at the most
    assert passes.of_pass(passes.PASSES.address, passes.ADD, 6, 7) == 13


@pytest.mark.parametrize("without", ["a second core", "a program", "a folder"])
def test_where_no_process_can_help_passes_are_made_all_the_same(
    passes: ModuleType, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.setattr(late, "usable_cores", lambda: 1 if without == "a second core" else 2)
    if without == "a program":
        monkeypatch.setattr(sys, "executable", "/nowhere")
    elif without == "a folder":
        monkeypatch.setattr(late, "first_to_write", lambda places: None)
    passes.PASSES.make_beside([passes.TIMES])
    assert passes.PASSES._helper is None
    assert passes.of_pass(passes.PASSES.address, passes.TIMES, 6, 7) == 42
