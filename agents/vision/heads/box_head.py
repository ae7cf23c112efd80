"""The box around what is seen of a thing: how far its middle is from the cell, and its sides."""

from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.head import Aside, Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells

_UNIT = 16.0
"""Pixels that an answer of 1 is about."""


class BoxHead(Head):
    """Columns and rows to the middle, width and height."""

    name = "boxes"
    again = True

    def __init__(self, shape: Shape) -> None:
        super().__init__(AtCells(shape.width, 4))

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """One less the generalized overlap (Rezatofighi et al. 2019)."""
        found, true = _corners(self._boxes(answers, cells)), _corners(batch.boxes[cells.thing])
        return self.of_things(1 - _overlap(found, true), cells)

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`boxes` (k, 4): x, y, width, height."""
        return {"boxes": self._boxes(answers, cells)}

    def aimed(self, answers: torch.Tensor, cells: Cells) -> Cells:
        """The cells with boxes, which other heads do not teach."""
        return replace(cells, boxes=self._boxes(answers, cells).detach())

    def as_first(self, found: dict[str, torch.Tensor], aside: Aside) -> dict[str, torch.Tensor]:
        """Boxes with their middles and sides there."""
        corner, sides = found["boxes"][:, :2], found["boxes"][:, 2:]
        middle, sides = aside.points(corner + sides / 2), sides / aside.scale
        return {"boxes": torch.cat([middle - sides / 2, sides], dim=1)}

    def _boxes(self, answers: torch.Tensor, cells: Cells) -> torch.Tensor:
        sides = functional.softplus(answers[:, 2:]) * _UNIT
        return torch.cat([cells.middles + answers[:, :2] * _UNIT - sides / 2, sides], dim=1)


def _corners(boxes: torch.Tensor) -> torch.Tensor:
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def _overlap(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The generalized intersection over union (k,) of corners (k, 4)."""
    inner = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp_min(0).prod(1)
    outer = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(1)
    union = (one[:, 2:] - one[:, :2]).prod(1) + (other[:, 2:] - other[:, :2]).prod(1) - inner
    return inner / union - (outer - union) / outer
