"""How tests of a policy went while it was learnt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from simworld.agents.evaluation.evaluation import Evaluation
from simworld.agents.learning.kept_lines import KeptLines
from simworld.extras import extras
from simworld.reading import Record


class _Point(Record):
    """What is kept of a test."""

    step: int
    success: float
    total: float = Field(alias="return")
    length: float
    seconds: float


class SuccessCurve:
    """How a policy did in tests while it was learnt, and how long that took; with a folder, for TensorBoard too.

    The file `kept` has every test, a line each, so that a training that goes on has the curve of before. DatasetError
    where it is broken. The `clock`, which is asked at every step, tells the seconds so far.
    """

    def __init__(
        self,
        steps: int,
        progress: Callable[[int, int], None] | None,
        kept: Path,
        folder: Path | None,
        clock: Callable[[], float],
    ) -> None:
        self._steps, self._progress, self._kept, self._folder = steps, progress, KeptLines(kept, _Point), folder
        self._clock = clock
        self._curve: list[dict[str, Any]] = []
        self._board: Any = None
        self._begun, self._behind = False, 0.0

    def tell(self, step: int, result: Evaluation | None) -> None:
        """Hear of a step, and of a test if there was one; the first step is that from which the training goes on."""
        if not self._begun:
            self._take_up(step - (result is not None))
        seconds = self._seconds()
        if result is not None:
            point = {"success": result.success_rate, "return": result.mean_return, "length": result.mean_length}
            self._curve.append({"step": step} | point | {"seconds": seconds})
            self._kept.add(self._curve[-1])
            self._show(self._curve[-1])
        if self._progress is not None:
            self._progress(min(step, self._steps), self._steps)

    def record(self) -> dict[str, Any]:
        """What is kept: the best is the last of those that did best."""
        if self._board is not None:
            self._board.close()
        best = max(reversed(self._curve), key=lambda point: point["success"])
        told = {"steps": self._curve[-1]["step"], "best": {name: best[name] for name in ("step", "success")}}
        return told | {"curve": self._curve, "seconds": self._seconds()}

    def _take_up(self, step: int) -> None:
        """The tests up to a step."""
        self._begun = True
        before = self._kept.take_up(lambda point: bool(point.step <= step))
        self._curve = [point.model_dump(by_alias=True) for point in before]
        if self._curve:  # of which a kill may have taken more from the clock than from the tests
            self._behind = max(self._curve[-1]["seconds"] - self._clock(), 0.0)
        if self._folder is not None:
            with extras():
                from torch.utils.tensorboard import SummaryWriter
            # All is told again, as a training that was killed may not have written out what it told.
            self._board = SummaryWriter(str(self._folder), purge_step=0)
            for point in self._curve:
                self._show(point)

    def _seconds(self) -> float:
        return self._clock() + self._behind

    def _show(self, point: dict[str, Any]) -> None:
        if self._board is not None:
            for name in ("success", "return", "length"):
                self._board.add_scalar(f"test/{name}", point[name], int(point["step"]))
            self._board.flush()
