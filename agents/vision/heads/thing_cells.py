"""Cells of the features that answer for things."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from simworld.agents.vision.trunk import STRIDE


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
        """The last one of each of so many things that has any: the middle one, unless that is a smaller thing's."""
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
