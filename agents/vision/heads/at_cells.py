"""Answers from what features are in a cell and in those beside it."""

import torch
from torch import nn
from torch.nn import functional

from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import Features


class AtCells(nn.Module):
    """One hidden layer, over features so wide."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.last = nn.Conv2d(width, outputs, 1)
        self.convolution = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.normal = nn.BatchNorm2d(width)

    def everywhere(self, features: Features, cells: Cells) -> torch.Tensor:
        """The answers (n, outputs, h, w), where the `cells` are all."""
        answers: torch.Tensor = self.last(self.normal(self.convolution(features.coarse)).relu())
        return answers

    def forward(self, features: Features, cells: Cells) -> torch.Tensor:
        """Those at some cells: (k, outputs)."""
        hidden, normal = functional.conv2d(_around(features.coarse, cells), self.convolution.weight), self.normal
        if self.training and len(hidden) < 2:  # of which there is no variance
            known = normal.running_mean, normal.running_var, normal.weight, normal.bias
            hidden = functional.batch_norm(hidden, *known, eps=normal.eps)
        else:
            hidden = normal(hidden)
        answers: torch.Tensor = self.last(hidden.relu())[..., 0, 0]
        return answers.float()


def _around(features: torch.Tensor, cells: Cells) -> torch.Tensor:
    """What features (n, c, h, w) are in cells and beside them, 0 outside: (k, c, 3, 3)."""
    _, width, high, wide = features.shape
    rows = functional.pad(features, (1, 1, 1, 1)).permute(0, 2, 3, 1).reshape(-1, width)
    beside = torch.arange(3, device=features.device)
    corner = (cells.image * (high + 2) + cells.row) * (wide + 2) + cells.column
    places = corner[:, None, None] + beside[:, None] * (wide + 2) + beside
    return rows.index_select(0, places.flatten()).view(-1, 3, 3, width).permute(0, 3, 1, 2)
