"""What a head is: answers at every cell of the features, how they are learnt, and what they say of a thing there."""

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.trunk import STRIDE


@dataclass(frozen=True)
class Cells:
    """Cells that answer for things: of each its `image` (k,), its `row` and `column`, and which `thing` it is of."""

    image: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    thing: torch.Tensor

    def __getitem__(self, rows: Any) -> "Cells":
        """Some of them."""
        return Cells(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: torch.device) -> "Cells":
        """The same on a device."""
        return Cells(*(getattr(self, field.name).to(device) for field in fields(self)))

    def around(self, features: torch.Tensor) -> torch.Tensor:
        """What features (n, c, h, w) are there and in the cells beside, 0 outside: (k, c, 3, 3)."""
        count, width, high, wide = features.shape
        rows = functional.pad(features, (1, 1, 1, 1)).permute(0, 2, 3, 1).reshape(-1, width)
        beside = torch.arange(3, device=features.device)
        corner = (self.image * (high + 2) + self.row) * (wide + 2) + self.column
        places = corner[:, None, None] + beside[:, None] * (wide + 2) + beside
        return rows.index_select(0, places.flatten()).view(-1, 3, 3, width).permute(0, 3, 1, 2)

    @property
    def shares(self) -> torch.Tensor:
        """How much each counts (k,) where every thing counts as much as another: 1 of all cells of a thing together."""
        return 1.0 / torch.bincount(self.thing).clamp_min(1)[self.thing]

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

    Most are made only in the cells of things when they are learnt and read. What `needs_camera` is read only where the
    camera of an image is known. What is read `twice` is so in a mirror too, and the mean is told. By its `name` a loss
    is told of.
    """

    name: ClassVar[str]
    needs_camera: ClassVar[bool] = False
    twice: ClassVar[bool] = False

    def __init__(self, shape: Shape, outputs: int) -> None:
        super().__init__()
        self.last = nn.Conv2d(shape.width, outputs, 1)
        self.convolution = nn.Conv2d(shape.width, shape.width, 3, padding=1, bias=False)
        self.normal = nn.BatchNorm2d(shape.width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The answers."""
        answers: torch.Tensor = self.last(self.normal(self.convolution(features)).relu())
        return answers

    def answers(self, features: torch.Tensor, cells: Cells) -> torch.Tensor:
        """What `loss` and `read` are given: the answers (k, outputs) at some cells, unless a head makes others."""
        hidden, normal = functional.conv2d(cells.around(features), self.convolution.weight), self.normal
        if self.training and len(hidden) < 2:  # of which there is no variance
            known = normal.running_mean, normal.running_var, normal.weight, normal.bias
            hidden = functional.batch_norm(hidden, *known, eps=normal.eps)
        else:
            hidden = normal(hidden)
        answers: torch.Tensor = self.last(hidden.relu())[..., 0, 0]
        return answers.float()

    def taught(self, cells: Cells, things: int) -> Cells:
        """Those of the cells that answer for so many things of which is learnt."""
        return cells

    @staticmethod
    def of_things(losses: torch.Tensor, cells: Cells) -> torch.Tensor:
        """The mean over things of losses (k,) at their cells."""
        shares = cells.shares
        return (losses * shares).sum() / shares.sum().clamp_min(1)

    @abstractmethod
    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """How wrong answers are, at the cells that are taught."""

    @abstractmethod
    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """What answers mean at the cells of things that were found, in pixels of the picture that the network saw.

        `found` has what the heads before it said, and `intrinsics` (k, 3, 3) and `world_to_camera` (k, 3, 4) of each.
        """

    def unmirrored(self, found: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
        """What was read in a mirror of a picture so wide, as it is in the picture."""
        return found
