"""A process that answers what it is asked, while this one goes on."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from simworld.errors import SimworldError, WorkerError

_A_WHILE = 10.0
"""Seconds until a process that is to end has ended, at the most."""
_THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"

T = TypeVar("T")


class AnsweringProcess(Generic[T]):
    """A process that calls `make(*given)` when it is first asked, and what that returns for each question.

    It `does` something, as an error says, in one thread. It ends by `close`, and where this process does, however that
    comes. WorkerError if it has ended by itself.
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
        """Wait for the answer to the first question that has had none; an error of ours is raised here."""
        try:
            answer: T | SimworldError = self._connection.recv()
        except (EOFError, ConnectionError):
            raise self._ended() from None
        if isinstance(answer, SimworldError):
            raise answer
        return answer

    def leave(self) -> None:
        """Have the process end as soon as it has answered."""
        self._connection.close()

    def close(self) -> None:
        """End the process; closing twice is harmless."""
        self.leave()
        self._process.join(_A_WHILE)
        self._process.kill()

    def _ended(self) -> WorkerError:
        self._process.join(_A_WHILE)
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return WorkerError(f"the process that {self._does} {how}")


def _answer(connection: Connection, make: Callable[..., Callable[..., Any]], given: tuple[Any, ...]) -> None:
    """Answer until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: who asks ends this
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
        try:
            connection.send(told)
        except ConnectionError:
            return


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
