"""A process that answers what it is asked, while this one goes on."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any, Generic, NamedTuple, TypeVar

from simworld.errors import SimworldError, WorkerError

_A_WHILE = 10.0
"""Seconds until a process that is to end has ended, at the most."""
_THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"

T = TypeVar("T")


class _Bug(NamedTuple):
    """What was raised that is no error of ours, in words."""

    text: str


class AnsweringProcess(Generic[T]):
    """A process that calls `make(*given)` when it is first asked, and what that returns for each question.

    Questions are answered in their order, in one thread. The process ends by `close`, and where this one does, however
    that comes; of one that has ended by itself a WorkerError says what it `does`. All that is given, asked and answered
    is pickled; a script that begins it has `if __name__ == "__main__":`.
    """

    def __init__(self, does: str, make: Callable[..., Callable[..., T]], *given: Any) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._does = does
        self._process = context.Process(target=_answer, args=(theirs, make, given), daemon=True)
        with _one_thread():
            self._process.start()
        theirs.close()

    def ask(self, *question: Any) -> None:
        """Have something answered."""
        try:
            self._connection.send(question)
        except ConnectionError:
            raise self._ended() from None

    def take(self) -> T:
        """Wait for the answer to the first question that was not answered yet; what it raised is raised here."""
        try:
            answer: T | SimworldError | _Bug = self._connection.recv()
        except (EOFError, ConnectionError):
            raise self._ended() from None
        if isinstance(answer, SimworldError):
            raise answer
        if isinstance(answer, _Bug):
            raise RuntimeError(f"in the process that {self._does}:\n{answer.text}")
        return answer

    def close(self) -> None:
        """End the process, whatever it does; closing twice is harmless."""
        self._connection.close()
        self._process.kill()
        self._process.join()

    def _ended(self) -> WorkerError:
        self._process.join(_A_WHILE)
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return WorkerError(f"the process that {self._does} {how}")


def _answer(connection: Connection, make: Callable[..., Callable[..., Any]], given: tuple[Any, ...]) -> None:
    """Answer until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: who asks ends this
    Thread(target=_end_with_whoever_asks, daemon=True).start()
    answer: Callable[..., Any] | None = None
    while True:
        try:
            question = connection.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer = answer or make(*given)
            told = answer(*question)
        except SimworldError as error:
            told = error
        except Exception:
            told = _Bug(traceback.format_exc())
        try:
            connection.send(told)
        except ConnectionError:
            return


def _end_with_whoever_asks() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(0)  # nobody waits for the answer any more


@contextmanager
def _one_thread() -> Iterator[None]:
    """A process that begins meanwhile computes in one thread: the other cores are others'."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ |= dict.fromkeys(_THREADS, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
