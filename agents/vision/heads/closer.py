"""Answers from a closer look at a thing: features in the box around it, however large that is (He et al. 2017)."""

import torch
from torch import nn

from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import FINE_STRIDE, STRIDE, Features, block

_SIDE = 6
"""Rows, and columns, of places at which features are looked at."""
_MARGIN = 0.075
"""Of a box's sides, that is looked at beyond each."""
_WIDTHS = 64, 64, 96
_UNIT = 32.0
"""Pixels that a side of a usual box has."""


class Closer(nn.Module):
    """Convolutions of what is in a box, at the same places of any, and of the box's sides; boxes are told before.

    The features are `width` wide, and the finer ones `fine`.
    """

    def __init__(self, width: int, fine: int, outputs: int) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        self.closer = nn.Sequential(
            block(width + fine + 2, first), block(first, second, 3, 2), block(second, third, 3, 2)
        )
        self.last = nn.Conv2d(third, outputs, 2)

    def everywhere(self, features: Features, cells: Cells) -> torch.Tensor:
        """The answers (n, outputs, h, w), where the `cells` are all."""
        count, _, height, width = features.coarse.shape
        answers: torch.Tensor = self(features, cells)
        return answers.view(count, height, width, -1).permute(0, 3, 1, 2)

    def forward(self, features: Features, cells: Cells) -> torch.Tensor:
        """Those at some cells: (k, outputs)."""
        if self.training and not len(cells.thing):  # of which there are no statistics
            return features.coarse.new_zeros(0, self.last.out_channels).float()
        answers: torch.Tensor = self.last(self.closer(looked_at(features, cells)))[..., 0, 0]
        return answers.float()


def looked_at(features: Features, cells: Cells) -> torch.Tensor:
    """What both features are at places of the boxes of cells, and how large these are: (k, c, _SIDE, _SIDE)."""
    assert cells.boxes is not None
    inside = torch.linspace(-_MARGIN, 1 + _MARGIN, 2 * _SIDE + 1, device=cells.boxes.device)[1::2]
    down, along = torch.meshgrid(inside, inside, indexing="ij")
    corner, sides = cells.boxes[:, None, :2], cells.boxes[:, None, 2:]
    points = corner + torch.stack([along.flatten(), down.flatten()], dim=1) * sides
    both = ((features.coarse, STRIDE), (features.fine, FINE_STRIDE))
    seen = [_sampled(values, points / stride - 0.5, cells.image) for values, stride in both]
    large = (sides.clamp_min(1) / _UNIT).log().expand(-1, _SIDE**2, -1)
    all_of_it = torch.cat([*seen, large], dim=2).transpose(1, 2)
    return all_of_it.reshape(*all_of_it.shape[:2], _SIDE, _SIDE)


def _sampled(features: torch.Tensor, points: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """What features (n, c, h, w) of some images (k,) are between cells, at points (k, p, 2) x and y: (k, p, c)."""
    _, width, high, wide = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, width)
    points = points.nan_to_num()  # of a training that diverges, as its losses tell
    x, y = points[..., 0].clamp(0, wide - 1), points[..., 1].clamp(0, high - 1)
    left, top = x.floor().clamp_max(wide - 2), y.floor().clamp_max(high - 2)
    corner = ((image[:, None] * high + top.long()) * wide + left.long()).flatten()
    right, low = (x - left).flatten()[:, None], (y - top).flatten()[:, None]
    parts = (((1 - right) * (1 - low), 0), (right * (1 - low), 1), ((1 - right) * low, wide), (right * low, wide + 1))
    sampled = sum(share * rows.index_select(0, corner + step).float() for share, step in parts)
    return torch.as_tensor(sampled).view(*points.shape[:2], width)
