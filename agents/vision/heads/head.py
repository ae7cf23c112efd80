"""What a head is: answers at every cell of the features, how they are learnt, and what they say of a thing there."""

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import nn

from simworld.agents.data.batch import Batch
from simworld.agents.vision.trunk import STRIDE, block


@dataclass(frozen=True)
class Cells:
    """Cells that answer for things: of each its `image` (k,), its `row` and `column`, and which `thing` it is of."""

    image: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    thing: torch.Tensor

    def to(self, device: torch.device) -> "Cells":
        """The same on a device."""
        return Cells(*(getattr(self, field.name).to(device) for field in fields(self)))

    def of(self, answers: torch.Tensor) -> torch.Tensor:
        """What answers (n, c, h, w) are there: (k, c)."""
        return answers[self.image, :, self.row, self.column].float()

    @property
    def middles(self) -> torch.Tensor:
        """Where they are, in pixels x and y: (k, 2)."""
        return (torch.stack([self.column, self.row], dim=1) + 0.5) * STRIDE


@dataclass(frozen=True)
class Shape:
    """What heads are made for: the names of categories and of the keypoints of each, and the width of the features."""

    categories: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]
    width: int


class Head(nn.Module):
    """Answers (n, outputs, h, w) from features, by one hidden layer.

    What `needs_camera` is read only where the camera of an image is known. By its `name` a loss is told of.
    """

    name: ClassVar[str]
    needs_camera: ClassVar[bool] = False

    def __init__(self, shape: Shape, outputs: int) -> None:
        super().__init__()
        self.last = nn.Conv2d(shape.width, outputs, 1)
        self.layers = nn.Sequential(block(shape.width, shape.width), self.last)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The answers."""
        answers: torch.Tensor = self.layers(features)
        return answers

    @abstractmethod
    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """How wrong they are, at the cells that answer for the batch's things."""

    @abstractmethod
    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """What they say at the cells of things that were found, in pixels of the picture that the network saw.

        `found` has what the heads before it said, and `intrinsics` (k, 3, 3) and `world_to_camera` (k, 3, 4) of each.
        """
