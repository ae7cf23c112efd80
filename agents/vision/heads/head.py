"""What a head is: answers at every cell of the features, how they are learnt, and what they say of a thing there."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from simworld.agents.data.batch import Batch
from simworld.agents.vision.trunk import STRIDE, Features


@dataclass(frozen=True)
class Cells:
    """Cells that answer for things: of each its `image` (k,), its `row` and `column`, and which `thing` it is of.

    Where heads have said it, `boxes` (k, 4) are around the things, in pixels.
    """

    image: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    thing: torch.Tensor
    boxes: torch.Tensor | None = None

    @classmethod
    def everywhere(cls, features: torch.Tensor) -> "Cells":
        """All that features (n, c, h, w) have, each of another thing."""
        (count, _, height, width), device = features.shape, features.device
        sides = (torch.arange(side, device=device) for side in (count, height, width))
        image, row, column = (grid.flatten() for grid in torch.meshgrid(*sides, indexing="ij"))
        return cls(image, row, column, torch.arange(count * height * width, device=device))

    def __getitem__(self, rows: Any) -> "Cells":
        """Some of them."""
        return self._each(lambda values: values[rows])

    def to(self, device: torch.device) -> "Cells":
        """The same on a device."""
        return self._each(lambda values: values.to(device))

    def of_each(self, things: int) -> "Cells":
        """The last one, which is the middle one, of each of so many things, if it has any."""
        places = torch.arange(len(self.thing), device=self.thing.device)
        last = torch.full((things,), -1, device=places.device).scatter_reduce(0, self.thing, places, "amax")
        return self[last[last >= 0]]

    @property
    def shares(self) -> torch.Tensor:
        """How much each counts (k,) where every thing counts as much as another: 1 of all cells of a thing together."""
        return 1.0 / torch.bincount(self.thing).clamp_min(1)[self.thing]

    @property
    def middles(self) -> torch.Tensor:
        """Where they are, in pixels x and y: (k, 2)."""
        return (torch.stack([self.column, self.row], dim=1) + 0.5) * STRIDE

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Cells":
        changed: dict[str, Any] = {
            name: None if values is None else change(values) for name, values in vars(self).items()
        }
        return Cells(**changed)


@dataclass(frozen=True)
class Shape:
    """What heads are made for: names of categories and of the keypoints of each, and how wide features are."""

    categories: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]
    width: int
    fine: int


@dataclass(frozen=True)
class Aside:
    """Another look at a picture: larger by `scale` (k, 1) at each of some cells, in a mirror or not.

    Its `size` (2,) and that of the first look are in pixels, x and y; their middles show the same.
    """

    scale: torch.Tensor
    mirrored: bool
    size: torch.Tensor
    first: torch.Tensor

    def points(self, points: torch.Tensor) -> torch.Tensor:
        """Where points (k, 2) of it are in the first look."""
        away = (points - self.size / 2) / self.scale
        return self.first / 2 + (away * away.new_tensor([-1.0, 1.0]) if self.mirrored else away)


class Head(nn.Module):
    """Answers (n, outputs, h, w) from features.

    Most are made only in the cells of things when they are learnt and read. What `needs_camera` is read only where the
    camera of an image is known. What is read `again` is so in every look at a picture, and the mean is told. By its
    `name` a loss is told of.
    """

    name: ClassVar[str]
    needs_camera: ClassVar[bool] = False
    again: ClassVar[bool] = False

    @abstractmethod
    def forward(self, features: Features, cells: Cells) -> torch.Tensor:
        """The answers everywhere, where the `cells` are all."""

    @abstractmethod
    def answers(self, features: Features, cells: Cells) -> torch.Tensor:
        """What `loss` and `read` are given: the answers (k, outputs) at some cells, unless a head makes others."""

    def aimed(self, answers: torch.Tensor, cells: Cells) -> Cells:
        """The cells, with what these answers tell the heads that come after."""
        return cells

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

    def as_first(self, found: dict[str, torch.Tensor], aside: Aside) -> dict[str, torch.Tensor]:
        """What was read in another look at a picture, as it is in the first."""
        return found
