"""Where the named places on a thing are: how far from the cell."""

from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells

_UNIT = 16.0
"""Pixels that an answer of 1 is."""


class KeypointHead(Head):
    """Two distances for each keypoint of the thing's category, in the order of their names."""

    name = "keypoints"

    def __init__(self, shape: Shape) -> None:
        self._most = max(1, *map(len, shape.points))
        super().__init__(AtCells(shape.width, 2 * self._most))

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """Of the keypoints that are in front of the camera, also those that are hidden."""
        true, found = batch.keypoints[cells.thing], self._points(answers, cells)[:, : batch.keypoints.shape[1]]
        there = (true[..., 2] > 0).float()
        off = functional.smooth_l1_loss(found / _UNIT, true[..., :2] / _UNIT, reduction="none", beta=0.1).sum(-1)
        some = there.any(1)
        return self.of_things((off * there).sum(1)[some] / there.sum(1)[some], cells[some])

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`keypoints` (k, p, 2): column and row of each."""
        return {"keypoints": self._points(answers, cells)}

    def _points(self, answers: torch.Tensor, cells: Cells) -> torch.Tensor:
        return cells.middles[:, None] + _UNIT * answers.view(-1, self._most, 2)
