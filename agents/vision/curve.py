"""The curve of a training: what it is told of every step, kept in few points, and for TensorBoard."""

from pathlib import Path

import numpy as np

from simworld.extras import extras

_POINTS = 100


class Curve:
    """Losses of a training of so many steps, as means over equal parts of it; with a folder, for TensorBoard too."""

    def __init__(self, steps: int, folder: Path | None = None) -> None:
        self.points, self._each = list[dict[str, float]](), max(1, steps // _POINTS)
        self._sums, self._board = dict[str, list[float]](), None
        if folder is not None:
            with extras():
                from torch.utils.tensorboard import SummaryWriter
            self._board = SummaryWriter(str(folder))

    def add(self, step: int, losses: dict[str, float]) -> None:
        """Hear of a step."""
        for name, value in losses.items():
            self._sums.setdefault(name, []).append(value)
        if (step + 1) % self._each == 0:
            means = {name: float(np.mean(values)) for name, values in self._sums.items()}
            self._sums.clear()
            self.points.append({"step": step + 1, **means})
            for name, value in means.items():
                if self._board is not None:
                    self._board.add_scalar(f"loss/{name}", value, step + 1)

    def close(self) -> None:
        """Write out what is to be written."""
        if self._board is not None:
            self._board.close()
