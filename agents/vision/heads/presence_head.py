"""Where things are, whatever they are: a heat map of their middles (CenterNet, Zhou et al. 2019)."""

import math
from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import STRIDE, Features

_RARE = 0.02
"""How likely a cell is the middle of a thing before anything is learnt."""
_SPREAD = 0.1
"""Standard deviation of a target, as a share of its box; half a cell at least."""
_LEAST_SHOWN = 0.4
"""Of what was seen of a thing before a window cut it."""
_NEARLY = 0.999
"""The target at the middle of what is neither asked for nor denied."""


class PresenceHead(Head):
    """How likely each cell is the middle of a thing."""

    name = "presence"

    def __init__(self, shape: Shape) -> None:
        look = AtCells(shape.width, 1)
        super().__init__(look)
        assert look.last.bias is not None
        torch.nn.init.constant_(look.last.bias, math.log(_RARE / (1 - _RARE)))

    def answers(self, features: Features, cells: Cells) -> torch.Tensor:
        """Those of all cells: (n, outputs, h, w)."""
        whole: torch.Tensor = self(features, cells)
        return whole

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """The focal loss of CenterNet for each thing, of answers (n, outputs, h, w)."""
        logits, target = answers.float(), self._target(answers, batch)
        away = (1 - target).square_().square_()  # nothing at a middle
        wrong = (functional.softplus(logits) * logits.sigmoid().square() * away).sum()
        middles = logits[target == 1]
        right = (functional.softplus(-middles) * (-middles).sigmoid().square()).sum()
        return (right + wrong) / whole_enough(batch).sum().clamp_min(1)

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Nothing more: which cells were found is what it says."""
        return {}

    def _target(self, answers: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gaussians (n, 1, h, w) around the middles, each exactly 1 at its cell; just below where it is not taught."""
        target = torch.zeros_like(answers, dtype=torch.float32)
        height, width = answers.shape[-2:]
        rows, columns = (torch.arange(side, device=answers.device).float() for side in (height, width))
        row, column = middle_cells(batch.boxes, height, width)
        spread = (_SPREAD * batch.boxes[:, 2:] / STRIDE).clamp_min(0.5)
        down = torch.exp(-((rows - row[:, None]) ** 2) / (2 * spread[:, 1:] ** 2))
        along = torch.exp(-((columns - column[:, None]) ** 2) / (2 * spread[:, :1] ** 2))
        down = down * torch.where(whole_enough(batch), 1.0, _NEARLY)[:, None]
        for k, image in enumerate(batch.of.tolist()):
            plane = target[image, 0]
            torch.maximum(plane, down[k, :, None] * along[k], out=plane)
        return target


def whole_enough(batch: Batch) -> torch.Tensor:
    """Which things (m,) enough is left of to say what and where they are: of others neither is asked."""
    return batch.shown >= _LEAST_SHOWN


def middle_cells(boxes: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The row and the column (m,) of the cell in the middle of each box."""
    middle = ((boxes[:, :2] + boxes[:, 2:] / 2) / STRIDE).long()
    return middle[:, 1].clamp(0, height - 1), middle[:, 0].clamp(0, width - 1)


def peaks(likely: torch.Tensor, most: int) -> tuple[torch.Tensor, Cells]:
    """How likely (k,) the highest peaks of heat maps (n, 1, h, w) are, at most `most` an image, and their cells."""
    high = likely * (functional.max_pool2d(likely, 3, 1, 1) == likely)
    count, _, _, width = high.shape
    scores, places = high.flatten(1).topk(min(most, high[0].numel()))
    image, places = torch.arange(count)[:, None].expand_as(places).flatten(), places.flatten()
    return scores.flatten(), Cells(image, places // width, places % width, torch.arange(len(places)))
