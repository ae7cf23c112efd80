"""How a thing is turned: two columns of its rotation as it is seen along the ray to it (Zhou et al. 2019)."""

from typing import Any

import torch

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.head import Cells, Head, Shape


class RotationHead(Head):
    """Six numbers, of which the nearest rotation is made."""

    name = "rotation"
    needs_camera = True

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape, 6)

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """The squared distance to the nearest of the thing's symmetries; what every rotation keeps teaches nothing."""
        alike = batch.alike[cells.thing]
        there = alike.abs().sum((-1, -2)) > 0
        turned = there.any(1)
        if not turned.any():
            return answers.sum() * 0
        along = batch.translations[cells.thing]
        seen = _towards(along).transpose(1, 2) @ batch.rotations[cells.thing]
        wanted = (seen[:, None] @ alike)[..., :2]
        off = ((_two(answers)[:, None] - wanted) ** 2).sum((-1, -2))
        return off.masked_fill(~there, torch.inf)[turned].amin(1).mean()

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`rotations` (k, 3, 3) from the thing's frame to the camera's."""
        ahead = torch.cat([found["origins"], torch.ones_like(found["origins"][:, :1])], dim=1)
        along = torch.linalg.solve(found["intrinsics"], ahead[:, :, None])[..., 0]
        return {"rotations": _towards(along) @ _orthogonal(_two(answers))}


def _two(numbers: torch.Tensor) -> torch.Tensor:
    return numbers.view(-1, 3, 2)


def _orthogonal(columns: torch.Tensor) -> torch.Tensor:
    """Rotations (k, 3, 3) whose first two columns are as near these (k, 3, 2) as may be."""
    u, _, v = torch.linalg.svd(columns, full_matrices=False)
    first, second = (u @ v).unbind(-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _towards(along: torch.Tensor) -> torch.Tensor:
    """The rotations (k, 3, 3) by the shortest way from straight ahead to directions (k, 3)."""
    x, y, z = torch.nn.functional.normalize(along, dim=1).unbind(1)
    share = 1 / (1 + z).clamp_min(1e-6)
    rows = [1 - x * x * share, -x * y * share, x, -x * y * share, 1 - y * y * share, y, -x, -y, z]
    return torch.stack(rows, dim=1).view(-1, 3, 3)
