"""What a camera of a robot sees, as few numbers: where on its image each of some features is, and what it is like."""

import torch
from torch import nn
from torch.nn import functional

from simworld.agents.vision.trunk import Residual, block


class CameraEye(nn.Module):
    """From images (n, 3, h, w) in -1..1 to the numbers (n, `out`) of `4 * width` features.

    Features of every fourth pixel know of what is around by those of every eighth. A spatial softmax (Levine et al.
    2016, https://arxiv.org/abs/1504.00702) finds each one's place (x, y), -1 and 1 at the ends of the image; what all
    features are there is summed too.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        features = 4 * width
        self.out = 3 * features
        self.near = nn.Sequential(block(3, width, 5, 2), block(width, 2 * width, 3, 2))
        self.around = nn.Sequential(block(2 * width, features, 3, 2), Residual(features))
        self.across = nn.Conv2d(2 * width, features, 1)
        self.where = nn.Conv2d(features, features, 1)

    def forward(
        self, images: torch.Tensor, precision: torch.dtype = torch.float32
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Places, x of all before y of all, and what is there; convolutions are of a precision, places are not.

        Beside them the logarithm of how much each feature is where (n, `4 * width`, h / 4, w / 4), e of which adds
        up to 1 for each.
        """
        with torch.autocast(images.device.type, precision, enabled=precision != torch.float32):
            near = self.near(images)
            size = near.shape[-2:]
            around = functional.interpolate(self.around(near), size=size, mode="nearest")
            features = functional.relu(self.across(near) + around)
        features = features.float()
        where = torch.log_softmax(self.where(features).flatten(2), dim=-1)
        there = where.exp()
        along = [torch.linspace(-1.0, 1.0, side, device=images.device) for side in size]
        rows, columns = torch.meshgrid(*along, indexing="ij")
        what = (there * features.flatten(2)).sum(-1)
        numbers = torch.cat([there @ columns.flatten(), there @ rows.flatten(), what], dim=1)
        return numbers, where.view(*where.shape[:2], *size)
