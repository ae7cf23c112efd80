"""Where a thing is in the world: the pixel of its origin, and how high above the table that is.

A camera whose pose is known sees the origin along a ray, and so the height says where on it. Distance needs no guess
of the thing's size.
"""

from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.head import Aside, Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells

_UNIT, _HIGH = 16.0, 0.05
"""Pixels, and metres, that an answer of 1 is."""


class PositionHead(Head):
    """Columns and rows from the cell to the thing's origin, and its height in the world."""

    name = "position"
    needs_camera = True
    again = True

    def __init__(self, shape: Shape) -> None:
        super().__init__(AtCells(shape.width, 3))

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """Of all three, in their units."""
        there = batch.translations[cells.thing]
        seen = (batch.intrinsics[cells.image] @ there[:, :, None])[..., 0]
        pixels = seen[:, :2] / seen[:, 2:]
        camera = batch.world_to_camera[cells.image]
        height = ((there - camera[..., 3])[:, None] @ camera[..., :3])[:, 0, 2]
        true = torch.cat([(pixels - cells.middles) / _UNIT, height[:, None] / _HIGH], dim=1)
        off = functional.smooth_l1_loss(answers, true, reduction="none", beta=0.05).sum(1)
        near = (true[:, :2].abs() < 20).all(1) & (there[:, 2] > 0)
        return self.of_things(off[near], cells[near])

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`positions` (k, 3) of the origins in metres in the world's frame; `origins` (k, 2), their pixels."""
        said = answers.double()
        pixels = cells.middles.double() + _UNIT * said[:, :2]
        ahead = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
        camera = found["world_to_camera"].double()
        ray = torch.linalg.solve(found["intrinsics"].double(), ahead[:, :, None])
        turn = camera[..., :3].transpose(1, 2)
        eye, ray = -(turn @ camera[..., 3:])[..., 0], (turn @ ray)[..., 0]
        along = (_HIGH * said[:, 2] - eye[:, 2]) / ray[:, 2]
        return {"positions": (eye + along[:, None] * ray).float(), "origins": pixels.float()}

    def as_first(self, found: dict[str, torch.Tensor], aside: Aside) -> dict[str, torch.Tensor]:
        """The same places, and their pixels there."""
        return found | {"origins": aside.points(found["origins"])}
