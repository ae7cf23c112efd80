"""How tests of a policy went while it was learnt."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simworld.agents.evaluation import Evaluation
from simworld.extras import extras


class SuccessCurve:
    """How a policy did in tests while it was learnt, and how long that took; with a folder, for TensorBoard too."""

    def __init__(self, steps: int, progress: Callable[[int, int], None] | None, folder: Path | None) -> None:
        self._steps, self._progress, self._begin = steps, progress, time.perf_counter()
        self._curve: list[dict[str, float]] = []
        self._board = None
        if folder is not None:
            with extras():
                from torch.utils.tensorboard import SummaryWriter
            self._board = SummaryWriter(str(folder), purge_step=0)

    def tell(self, step: int, result: Evaluation | None) -> None:
        """Hear of a step, and of a test if there was one."""
        if result is not None:
            point = {"success": result.success_rate, "return": result.mean_return, "length": result.mean_length}
            self._curve.append({"step": step} | point | {"seconds": time.perf_counter() - self._begin})
            if self._board is not None:
                for name, value in point.items():
                    self._board.add_scalar(f"test/{name}", value, step)
                self._board.flush()
        if self._progress is not None:
            self._progress(min(step, self._steps), self._steps)

    def record(self) -> dict[str, Any]:
        """What is kept: the best is the last of those that did best."""
        if self._board is not None:
            self._board.close()
        best = max(reversed(self._curve), key=lambda point: point["success"])
        told = {"steps": self._curve[-1]["step"], "best": {name: best[name] for name in ("step", "success")}}
        return told | {"curve": self._curve, "seconds": time.perf_counter() - self._begin}
