"""A process that answers: in order, with what was raised, and no longer than whoever asks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from answers import dividing, repeating, sleeping

from simworld.answering import AnsweringProcess
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, WorkerError


def test_questions_are_answered_in_their_order_by_another_process() -> None:
    with closing(AnsweringProcess[tuple[float, int]]("divides", dividing, 4)) as process:
        for number in (8, -1, 2):
            process.ask(number)
        found, there = process.take()
        assert found == 2.0 and there != os.getpid()
        with pytest.raises(ConfigurationError, match="^number: must be at least 0, got -1"):
            process.take()
        assert process.take() == (0.5, there)
    process.close()
    with closing(AnsweringProcess[tuple[float, int]]("divides", dividing, 0)) as process:
        process.ask(1)
        with pytest.raises(RuntimeError, match="(?s)^in the process that divides:.*ZeroDivisionError"):
            process.take()
    assert multiprocessing.active_children() == []


def test_one_that_is_killed_says_so_and_one_that_is_busy_is_closed_at_once() -> None:
    with closing(AnsweringProcess[int]("sleeps", sleeping)) as process:
        process.ask(0)
        there = process.take()
        process.ask(100)
        os.kill(there, signal.SIGKILL)
        with pytest.raises(WorkerError, match="^the process that sleeps was killed by signal 9$"):
            process.take()
    with closing(AnsweringProcess[int]("sleeps", sleeping)) as process:
        process.ask(0)
        process.take()
        process.ask(100)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5


def test_it_ends_with_whoever_asks_in_the_middle_of_an_answer() -> None:
    code = """
import os, signal
from answers import sleeping
from simworld.answering import AnsweringProcess
process = AnsweringProcess("sleeps", sleeping)
process.ask(0)
print(process.take(), flush=True)
process.ask(100)
os.kill(os.getpid(), signal.SIGKILL)
"""
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent / "support",
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    there, until = int(told.stdout), time.monotonic() + 20
    while Path(f"/proc/{there}").exists() and "State:\tZ" not in Path(f"/proc/{there}/status").read_text():
        assert time.monotonic() < until, "it goes on"
        time.sleep(0.05)


def test_a_configuration_is_pickled_without_what_was_found_out_of_it() -> None:
    config = EnvConfig(task="reach", randomization="default")
    assert config.interface.places
    with closing(AnsweringProcess[EnvConfig]("repeats", repeating)) as process:
        process.ask(config)
        assert process.take() == config
