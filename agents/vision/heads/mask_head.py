"""Which pixels show a thing: prototypes of the whole image, mixed for each thing (YOLACT, Bolya et al. 2019)."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import STRIDE, Features, block

_PROTOTYPES, _HIDDEN = 8, 8
_WEIGHTS = [(_PROTOTYPES + 2) * _HIDDEN, _HIDDEN, _HIDDEN, 1]
"""Of the two layers by which a thing's mask is made of the prototypes and of where a cell is from it."""
_FAR = 64.0
"""Pixels from a thing that count 1."""
_FINE = 2
"""Rows, and columns, of a mask in a cell."""
MASK_STRIDE = STRIDE // _FINE
"""Pixels along a side of a place of a mask."""
_MOST = 64
"""Things of a batch whose masks are learnt at once."""


class MaskHead(Head):
    """Each cell gives the weights of a small network over the prototypes (CondInst, Tian et al. 2020)."""

    name = "masks"

    def __init__(self, shape: Shape) -> None:
        super().__init__(AtCells(shape.width, sum(_WEIGHTS)))
        width = shape.width
        self.prototypes = nn.Sequential(block(width, width), nn.Conv2d(width, _PROTOTYPES * _FINE**2, 1))

    def forward(self, features: Features, cells: Cells) -> torch.Tensor:
        """The weights, and then the prototypes, at every cell."""
        return torch.cat([super().forward(features, cells), self.prototypes(features.coarse)], dim=1)

    def answers(self, features: Features, cells: Cells) -> torch.Tensor:
        """The logits (k, h, w) of the masks of things at some cells."""
        prototypes = functional.pixel_shuffle(self.prototypes(features.coarse), _FINE)
        return mixed(super().answers(features, cells), prototypes, cells)

    def taught(self, cells: Cells, things: int) -> Cells:
        """The middle one of each of at most _MOST things, evenly taken."""
        middles = cells.of_each(things)
        count = len(middles.thing)
        return middles[torch.linspace(0, count - 1, _MOST).long()] if count > _MOST else middles

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """Cross entropy and Dice's coefficient of logits (k, h, w)."""
        if not len(cells.thing):
            return answers.sum() * 0
        true = _shares(batch.marks, cells)
        crossed = functional.binary_cross_entropy_with_logits(answers, true, reduction="none").mean((1, 2))
        likely = answers.sigmoid()
        both = (likely * true).sum((1, 2))
        dice = 1 - (2 * both + 1e-3) / ((likely**2).sum((1, 2)) + (true**2).sum((1, 2)) + 1e-3)
        return (5 * crossed + dice).mean()

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`masks` (k, h, w): logits at a stride of MASK_STRIDE, which are to be enlarged to pixels."""
        return {"masks": answers}


def mixed(weights: torch.Tensor, prototypes: torch.Tensor, cells: Cells) -> torch.Tensor:
    """The logits (k, h, w) that the weights (k, sum(_WEIGHTS)) of cells make of prototypes (n, _PROTOTYPES, h, w)."""
    (height, width), device, count = prototypes.shape[-2:], prototypes.device, len(weights)
    with torch.autocast(device.type, enabled=False):
        parts = torch.split(weights, _WEIGHTS, dim=1)
        shown = prototypes.float()[cells.image].flatten(2)
        columns = (torch.arange(width, device=device) + 0.5) * MASK_STRIDE - cells.middles[:, :1]
        rows = (torch.arange(height, device=device) + 0.5) * MASK_STRIDE - cells.middles[:, 1:]
        place = torch.stack([columns[:, None, :].expand(-1, height, -1), rows[:, :, None].expand(-1, -1, width)], dim=1)
        inputs = torch.cat([shown, place.flatten(2) / _FAR], dim=1)
        hidden = torch.baddbmm(parts[1][:, :, None], parts[0].view(count, _HIDDEN, _PROTOTYPES + 2), inputs).relu()
        out = torch.baddbmm(parts[3][:, :, None], parts[2][:, None, :], hidden)
        return out.view(count, height, width)


def _shares(marks: torch.Tensor, cells: Cells) -> torch.Tensor:
    """The share of each place (k, h, w) of a mask that shows the thing that a cell is of; each is of another thing."""
    (high, wide), count = marks.shape[-2:], len(cells.thing)
    rows, columns = (torch.arange(side, device=marks.device) // MASK_STRIDE for side in (high, wide))
    height, width = -(-high // STRIDE) * _FINE, -(-wide // STRIDE) * _FINE
    place = (rows[:, None] * width + columns).int()
    things = max(int(marks.max()), int(cells.thing.max()) + 1)
    # What shows something else is counted too, in a first plane that is left out.
    plane = torch.zeros(things + 1, dtype=torch.int32, device=marks.device)
    plane[cells.thing + 1] = torch.arange(1, count + 1, dtype=torch.int32, device=marks.device) * height * width
    of = plane.index_select(0, marks.flatten()).view_as(marks).add_(place)
    shown = torch.bincount(of.flatten(), minlength=(count + 1) * height * width).view(-1, height, width)[1:]
    pixels = torch.bincount(place.flatten(), minlength=height * width).clamp_min(1)
    return shown / pixels.view(height, width)
