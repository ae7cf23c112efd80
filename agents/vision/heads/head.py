"""What a head is: answers at every cell of the features, how they are learnt, and what they say of a thing there."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.closer import Closer
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import Features


@dataclass(frozen=True)
class Shape:
    """What heads are made for: names of categories and of the keypoints of each, and the widths of both features."""

    categories: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]
    width: int
    fine: int


@dataclass(frozen=True)
class Aside:
    """Another look at a picture, larger by a `scale`, in a mirror or not.

    Its `size` (2,) and that of the first look are in pixels, x and y; their middles show the same.
    """

    scale: float
    mirrored: bool
    size: torch.Tensor
    first: torch.Tensor

    def points(self, points: torch.Tensor) -> torch.Tensor:
        """Where points (k, 2) of it are in the first look."""
        away = (points - self.size / 2) / self.scale
        return self.first / 2 + (away * away.new_tensor([-1.0, 1.0]) if self.mirrored else away)


class Head(nn.Module):
    """Answers (n, outputs, h, w) from features, by its way to look at them.

    Most are made only in the cells of things when they are learnt and read. What `needs_camera` is read only where the
    camera of an image is known. What is read `again` is so in every look at a picture, and the mean is told. By its
    `name` a loss is told of.
    """

    name: ClassVar[str]
    needs_camera: ClassVar[bool] = False
    again: ClassVar[bool] = False

    def __init__(self, look: AtCells | Closer) -> None:
        super().__init__()
        self.look = look

    def forward(self, features: Features, cells: Cells) -> torch.Tensor:
        """The answers everywhere, where the `cells` are all."""
        return self.look.everywhere(features, cells)

    def answers(self, features: Features, cells: Cells) -> torch.Tensor:
        """What `loss` and `read` are given: the answers (k, outputs) at some cells, unless a head makes others."""
        answers: torch.Tensor = self.look(features, cells)
        return answers

    def aimed(self, answers: torch.Tensor, cells: Cells) -> Cells:
        """The cells, with what these answers tell the heads that come after."""
        return cells

    def taught(self, cells: Cells, things: int) -> Cells:
        """Those of the cells that answer for so many things of which is learnt: all, or one where all see the same."""
        return cells.of_each(things) if isinstance(self.look, Closer) else cells

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
        """What answers mean at the cells of things that were found, in pixels of the look that the network has.

        `found` has `intrinsics` (k, 3, 3) and `world_to_camera` (k, 3, 4) of each where they are known, and in the
        first look what the heads before it said.
        """

    def as_first(self, found: dict[str, torch.Tensor], aside: Aside) -> dict[str, torch.Tensor]:
        """What was read in another look at a picture, as it is in the first."""
        return found
