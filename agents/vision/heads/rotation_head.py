"""How a thing is turned: two columns of its rotation (Zhou et al. 2019), relative to what is up and whence it is seen.

The camera's pose is known, so that what stands upright has no tilt to guess: only where its front is, seen from there.
Where two sides look alike, or what tells them apart is hidden, the mean of what may be is no rotation of the thing: so
several are told, and which of them is the likeliest (Manhardt et al. 2019).
"""

from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.closer import Closer
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells

_TOLD = 7
"""Rotations that are told of a thing."""
_REST, _SURE = 0.05, 0.25
"""The share that all of them have in a loss that is else of the nearest, and how much it counts which that is."""


class RotationHead(Head):
    """Six numbers of each, of which the nearest rotation is made; then the logarithms of how likely they are."""

    name = "rotation"
    needs_camera = True

    def __init__(self, shape: Shape) -> None:
        look = Closer(shape.width, shape.fine, 7 * _TOLD)
        super().__init__(look)
        assert look.last.bias is not None
        with torch.no_grad():  # else all would begin as one
            look.last.bias[: 6 * _TOLD] = _orthogonal(torch.randn(_TOLD, 3, 2))[..., :2].flatten()

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """The squared distance of the nearest of those told to the nearest of the thing's symmetries, and which it is.

        A little is of all that are told, so that each has its use. What every rotation keeps teaches nothing.
        """
        alike = batch.alike[cells.thing]
        there = alike.abs().sum((-1, -2)) > 0
        turned = there.any(1)
        if not turned.any():
            return answers.sum() * 0
        axes = _axes(batch.translations[cells.thing], batch.world_to_camera[cells.image])
        seen = axes.transpose(1, 2) @ batch.rotations[cells.thing]
        wanted = (seen[:, None] @ alike)[..., :2]
        numbers, likely = _split(answers)
        off = ((numbers[:, :, None] - wanted[:, None]) ** 2).sum((-1, -2))
        off = off.masked_fill(~there[:, None], torch.inf)[turned].amin(2)
        nearest, which = off.min(1)
        sure = functional.cross_entropy(likely[turned], which, reduction="none")
        return self.of_things((1 - _REST) * nearest + _REST * off.mean(1) + _SURE * sure, cells[turned])

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`rotations` (k, 3, 3) from the thing's frame to the camera's, the likeliest ones."""
        ahead = torch.cat([found["origins"], torch.ones_like(found["origins"][:, :1])], dim=1)
        along = torch.linalg.solve(found["intrinsics"], ahead[:, :, None])[..., 0]
        numbers, likely = _split(answers)
        likeliest = numbers[torch.arange(len(numbers)), likely.argmax(1)]
        return {"rotations": _axes(along, found["world_to_camera"]) @ _orthogonal(likeliest)}


def _split(answers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two columns (k, _TOLD, 3, 2) of each rotation, and how likely (k, _TOLD) it is."""
    return answers[:, : 6 * _TOLD].view(-1, _TOLD, 3, 2), answers[:, 6 * _TOLD :]


def _orthogonal(columns: torch.Tensor) -> torch.Tensor:
    """Rotations (k, 3, 3) whose first two columns are as near these (k, 3, 2) as may be."""
    u, _, v = torch.linalg.svd(columns, full_matrices=False)
    first, second = (u @ v).unbind(-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _axes(along: torch.Tensor, world_to_camera: torch.Tensor) -> torch.Tensor:
    """Right, ahead and up (k, 3, 3) in the frames of cameras (k, 3, 4), of what is seen along directions (k, 3).

    Ahead is half way between the direction and the top of the picture, made level: of an upright camera that looks
    along the table, straight down on it or between, the level parts of the two add up.
    """
    up = world_to_camera[:, :, 2]
    top = up.new_tensor([0.0, -1.0, 0.0])
    between = functional.normalize(along, dim=1) + top
    ahead = functional.normalize(between - (between * up).sum(1, keepdim=True) * up, dim=1)
    return torch.stack([torch.linalg.cross(ahead, up), ahead, up], dim=-1)
