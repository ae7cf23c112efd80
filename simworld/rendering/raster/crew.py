"""Threads that render frames while the caller, who has Python's lock, comes by more of them."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore

import numpy as np
from numpy.typing import NDArray

from simworld.rendering.raster.canvas import Canvas, FrameRow, Made, Shot
from simworld.rendering.raster.passes import COLUMNS, render_rows
from simworld.rendering.raster.turns import Turn
from simworld.rendering.raster.workspace import WORKSPACES, Need, most_of

_NOTHING = Need(0, 0, 0, 0, 0)


class Crew:
    """Renders the frames that are added between `begin` and `end`: the same bits as `render` gives.

    So many are added `together`, of one scene: threads take different scenes, of which all that is kept is different
    too. Helpers stay in compiled loops, without Python's lock; in `end`, the caller helps.
    """

    def __init__(self, canvas: Canvas, together: int, threads: int) -> None:
        self._canvas, self._together, self._helpers = canvas, together, threads - 1
        self._pool = ThreadPoolExecutor(self._helpers) if self._helpers else None
        self._turn, self._inside = Turn(), Semaphore(0)
        self._table: NDArray[np.int64] = np.empty((0, COLUMNS), dtype=np.int64)
        self._rows: list[FrameRow] = []
        self._late: list[tuple[Shot, Made]] = []
        self._help: list[Future[None]] = []
        self._need = self._has = _NOTHING

    def begin(self, count: int) -> None:
        """Frames will be added so many times, at the most."""
        if len(self._table) < count * self._together:
            self._table = np.empty((count * self._together, COLUMNS), dtype=np.int64)
        self._turn.begin(self._together)

    def add(self, frames: Sequence[tuple[Shot, Made]]) -> None:
        """Render frames into the arrays of their channels; they are filled in at the `end`."""
        rows = [self._canvas.row(*frame) for frame in frames]
        self._need = most_of((self._need, *(row.eye.need for row in rows)))
        if self._rows and self._need != self._has:
            self._late += frames  # there is too little room for them where others help
            return
        self._table[len(self._rows) : len(self._rows) + len(rows)] = [row.words for row in rows]
        begins = not self._rows
        self._rows += rows
        self._turn.add(len(self._rows))
        if begins:
            self._has = self._need
            self._call()

    def end(self) -> None:
        """Wait for all frames; RenderError where poses are none."""
        self._turn.end()
        rows, late, called = self._rows, self._late, self._help
        self._rows, self._late, self._help = [], [], []
        if rows:
            workspace = WORKSPACES.for_(self._has)  # which is held until it is done
            render_rows(self._table, workspace.address, self._turn.address)
        for helping in called:
            helping.result()
        self._canvas.check(rows, self._table[: len(rows)])
        if late:
            self._canvas.run(late)

    def close(self) -> None:
        """Send the threads away."""
        if self._pool is not None:
            self._pool.shutdown()

    def _call(self) -> None:
        """Let the helpers begin, and go on when each is in its loops, for which it needs the lock."""
        if self._pool is not None:
            self._help = [self._pool.submit(self._render) for _ in range(self._helpers)]
            for _ in self._help:
                self._inside.acquire()

    def _render(self) -> None:
        try:
            workspace = WORKSPACES.for_(self._has)
        finally:
            self._inside.release()
        render_rows(self._table, workspace.address, self._turn.address)
