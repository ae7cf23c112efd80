"""The threads that share the frames of one caller, and what each of them keeps."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from simworld.rendering.raster.canvas import Canvas


class Team:
    """A canvas for each thread: the same shots go to the same one again, which has kept what they are drawn from."""

    def __init__(self) -> None:
        self.canvases: list[Canvas] = []
        self._pool: ThreadPoolExecutor | None = None
        self._made_for = 0, 0

    def work(self, share: Callable[[int], None], threads: int) -> None:
        """Do the shares 0 to before `threads` side by side, the first in the calling thread; errors are raised."""
        if threads == 1:
            share(0)
            return
        # Threads do not outlive a fork, and are not needed before there is something to share.
        if self._pool is None or self._made_for != (threads, os.getpid()):
            self._pool, self._made_for = ThreadPoolExecutor(threads - 1), (threads, os.getpid())
        others = [self._pool.submit(share, member) for member in range(1, threads)]
        try:
            share(0)
        finally:
            errors = [other.exception() for other in others]
        for error in errors:
            if error is not None:
                raise error
