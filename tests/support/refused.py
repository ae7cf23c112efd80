"""What refuses at once, in one line."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simworld.errors import ConfigurationError, SimworldError

SECONDS = 2.0


class Late(BaseException):
    """It took too long."""


@contextmanager
def at_once(seconds: float = SECONDS) -> Iterator[None]:
    """Fail where what is inside takes longer, even if it would never end."""

    def late(*_: object) -> None:
        raise Late(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(action: Callable[[], Any]) -> str:
    """The one line with which something is refused, at once."""
    with at_once(), pytest.raises(ConfigurationError) as refused:
        action()
    text = str(refused.value)
    assert "\n" not in text and len(text) < 2000, text[:3000]
    return text


def tried(action: Callable[[], Any], what: Any) -> None:
    """Only our errors, of one line, and no waiting."""
    begin = time.process_time()
    try:
        with at_once():
            action()
    except SimworldError as error:
        assert "\n" not in str(error), what
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: {what!r}") from error
    assert time.process_time() - begin < 1.0, what
