"""The curve of a training: what it is told of every step, kept in few points, and for TensorBoard."""

from pathlib import Path

import numpy as np

from simworld.agents.learning.kept_lines import KeptLines
from simworld.extras import extras

_POINTS = 100


class Curve:
    """Losses of a training of so many steps, as means over equal parts and what is left; with a folder, TensorBoard's.

    The file `kept` has those of every step, a line each, so that a training that goes on has the curve of one that
    never stopped. DatasetError where it is broken.
    """

    def __init__(self, steps: int, kept: Path, folder: Path | None = None) -> None:
        self.points, self._steps, self._each = list[dict[str, float]](), steps, max(1, steps // _POINTS)
        self._kept, self._begun = KeptLines(kept, tuple[int, dict[str, float]]), False
        self._sums, self._board = dict[str, list[float]](), None
        if folder is not None:
            with extras():
                from torch.utils.tensorboard import SummaryWriter
            # All is told again, as a training that was killed may not have written out what it told.
            self._board = SummaryWriter(str(folder), purge_step=0)

    def add(self, step: int, losses: dict[str, float]) -> None:
        """Hear of a step; the first one is that from which the training goes on."""
        self._begin(step)
        self._kept.add([step, losses])
        self._count(step, losses)

    def close(self) -> None:
        """Write out what is to be written."""
        self._begin(self._steps)
        if self._board is not None:
            self._board.close()

    def _begin(self, step: int) -> None:
        """Take up what is kept of the steps before, once."""
        if self._begun:
            return
        self._begun = True
        for number, losses in self._kept.take_up(lambda told: bool(told[0] < step)):
            self._count(number, losses)

    def _count(self, step: int, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self._sums.setdefault(name, []).append(value)
        if (step + 1) % self._each == 0 or step + 1 == self._steps:
            means = {name: float(np.mean(values)) for name, values in self._sums.items()}
            self._sums.clear()
            self.points.append({"step": step + 1, **means})
            for name, value in means.items():
                if self._board is not None:
                    self._board.add_scalar(f"loss/{name}", value, step + 1)
