"""Handles of other libraries: each has one owner, at one time one user, and no copy."""

import threading
from typing import ClassVar, NoReturn

from simworld.errors import ConfigurationError


class Uncopied:
    """What holds a handle: a copy would use, and close, the handle of another, so copies and pickles are refused."""

    instead: ClassVar[str]
    """What to do instead of copying."""

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(f"a {type(self).__name__} cannot be copied or pickled: {self.instead}")


class OneUser:
    """Lets one thread in at a time, in `with` statements; a second one raises ConfigurationError at once."""

    def __init__(self, what: str) -> None:
        self._what = what
        # A thread that was interrupted on its way in or out still has it, and gets in again.
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise ConfigurationError(f"{self._what} is in use by another thread: give each thread its own")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
