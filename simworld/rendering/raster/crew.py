"""Threads that render frames while the caller, who has Python's lock, comes by more of them."""

from collections.abc import Sequence
from queue import SimpleQueue

import numpy as np

from simworld.errors import ConfigurationError
from simworld.handles import OneUser
from simworld.rendering.raster.canvas import Canvas, FrameRow, Made, Shot
from simworld.rendering.raster.helpers import Helpers
from simworld.rendering.raster.passes import COLUMNS, render_rows
from simworld.rendering.raster.turns import Turn
from simworld.rendering.raster.workspace import WORKSPACES, Need, most_of


class Crew:
    """Renders the frames that are added between `begin` and `end`: the same bits as `render` gives.

    They are added so many `together`, of one scene, and that at the `most` so many times. Threads take different
    scenes, of which all that is kept is different too. Helpers stay in compiled loops, without Python's lock; in `end`,
    the caller helps. One thread may use it at a time.
    """

    def __init__(self, canvas: Canvas, together: int, most: int, threads: int) -> None:
        self._canvas, self._together, self._most = canvas, together, most
        self._in_use = OneUser("this crew")
        self._helpers = Helpers(threads - 1)
        self._table = _Table(0, together)

    def begin(self) -> None:
        """Frames will be added."""
        with self._in_use:
            self._dismiss(_Table(self._most, self._together))

    def add(self, frames: Sequence[tuple[Shot, Made]]) -> None:
        """Render frames into the arrays of their channels; they are filled in at the `end`.

        ConfigurationError for too many of them, and where nothing has begun.
        """
        with self._in_use:
            table = self._table
            if len(frames) != self._together or table.added == table.most:
                raise ConfigurationError(
                    f"a crew that has begun takes {self._most} times {self._together} frames, "
                    f"got {len(frames)} after {table.added} times"
                )
            table.added += 1
            scene = frames[0][0].scene
            if id(scene) in table.scenes or any(shot.scene is not scene for shot, _ in frames[1:]):
                table.late += frames  # others may be using what is kept of a scene
                return
            rows, begins = [self._canvas.row(*frame) for frame in frames], not table.rows
            if begins:
                table.need = most_of([row.eye.need for row in rows])
            elif any(row.eye.need != table.need != most_of((row.eye.need, table.need)) for row in rows):
                table.late += frames  # there is too little room for them where others help
                return
            for row in rows:
                table.words[len(table.rows)] = row.words
                table.rows.append(row)
            table.scenes.add(id(scene))
            table.turn.add(len(table.rows))
            if begins:
                self._call(table)

    def end(self) -> None:
        """Wait for all frames; RenderError where poses are none."""
        with self._in_use:
            table = self._table
            table.turn.end()
            try:
                if table.rows:
                    table.help()
            finally:
                self._helpers.finish()
            self._dismiss(_Table(0, self._together))
            self._canvas.check(table.rows, table.words[: len(table.rows)])
            if table.late:
                self._canvas.run(table.late)

    def close(self) -> None:
        """Send the threads away."""
        with self._in_use:
            self._dismiss(_Table(0, self._together))
            self._helpers.close()

    def _dismiss(self, following: "_Table") -> None:
        """Go on to another table, when nobody is at work on this one: its `end` may have been interrupted."""
        self._table.turn.end()
        self._helpers.rest()
        self._table = following

    def _call(self, table: "_Table") -> None:
        """Let the helpers begin, and go on when each is in its loops, for which it needs the lock."""
        self._helpers.start(_Table.help, [table] * self._helpers.count)
        for _ in range(self._helpers.count):
            table.inside.get()


class _Table:
    """The frames of one scene after the other, and all that must be there as long as anybody is at work on them."""

    def __init__(self, most: int, together: int) -> None:
        self.most, self.added = most, 0
        self.words = np.empty((most * together, COLUMNS), dtype=np.int64)
        self.turn = Turn()
        self.turn.begin(together)
        self.rows: list[FrameRow] = []
        self.scenes: set[int] = set()
        self.late: list[tuple[Shot, Made]] = []
        self.need = Need(0, 0, 0, 0, 0)
        self.inside: SimpleQueue[None] = SimpleQueue()

    def help(self) -> None:
        """Render rows until no more come."""
        try:
            workspace = WORKSPACES.for_(self.need)  # which is held until it is done
        finally:
            self.inside.put(None)
        render_rows(self.words, workspace.address, self.turn.address)
