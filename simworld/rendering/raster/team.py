"""The threads that share the frames of one caller, and what each of them keeps."""

from collections.abc import Callable

from simworld.rendering.raster.canvas import Canvas
from simworld.rendering.raster.helpers import Helpers


class Team:
    """A canvas for each thread: the same shots go to the same one again, which has kept what they are drawn from."""

    def __init__(self) -> None:
        self.canvases: list[Canvas] = []
        self._helpers = Helpers(0)

    def work(self, share: Callable[[int], None], threads: int) -> None:
        """Do the shares 0 to before `threads` side by side, the first in the calling thread; errors are raised."""
        # Those of a call that was interrupted may still be at work, with the same canvases.
        self._helpers.rest()
        if threads > 1 and self._helpers.count != threads - 1:
            self._helpers.close()
            self._helpers = Helpers(threads - 1)
        self._helpers.start(share, range(1, threads))
        try:
            share(0)
        finally:
            self._helpers.finish()
