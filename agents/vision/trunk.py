"""What all heads look at: features of an image at an eighth of its resolution, and finer ones at a quarter.

Residual stages (He et al. 2016) with a feature pyramid (Lin et al. 2017), small enough for a processor.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

STRIDE, FINE_STRIDE = 8, 4
"""Pixels along a side of a cell of the features, and of the finer ones."""
LEAST_SIDE = 64
"""Pixels of an image."""


class Features(NamedTuple):
    """Of n images: `coarse` (n, out, h / STRIDE, w / STRIDE), `fine` (n, first width, h / FINE_STRIDE, ...)."""

    coarse: torch.Tensor
    fine: torch.Tensor


def block(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution, normalized, of what is positive."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions beside the way that passes them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        normal = nn.BatchNorm2d(width)
        nn.init.zeros_(normal.weight)
        self.change = nn.Sequential(block(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False), normal)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, width, h, w)."""
        return functional.relu(features + self.change(features))


class Trunk(nn.Module):
    """From images (n, 3, h, w) in 0..255 to features, whose sides are rounded up."""

    def __init__(self, widths: tuple[int, ...], depths: tuple[int, ...], out: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(block(3, widths[0] // 2, 3, 2), block(widths[0] // 2, widths[0], 3, 2))
        stages = []
        for k, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            first = [block(widths[k - 1], width, 3, 2)] if k else []
            stages.append(nn.Sequential(*first, *[Residual(width) for _ in range(depth)]))
        self.stages = nn.ModuleList(stages)
        self.across = nn.ModuleList([nn.Conv2d(width, out, 1) for width in widths[1:]])
        self.last = block(out, out)

    def forward(self, images: torch.Tensor) -> Features:
        """The features."""
        features = self.stages[0](self.stem((images - 127.5).mul_(1 / 127.5)))
        fine, levels = features, []
        for stage, across in zip(self.stages[1:], self.across, strict=True):
            features = stage(features)
            levels.append(across(features))
        joined = levels.pop()
        for level in reversed(levels):
            joined = level + functional.interpolate(joined, size=level.shape[-2:], mode="nearest")
        return Features(self.last(joined), fine)
