"""A policy as an ONNX file: what it observes to what it does."""

from pathlib import Path

import torch
from torch import nn

from simworld.agents.networks.network import NetworkPolicy, bent_features, feature_matrix
from simworld.agents.networks.onnx_writing import write_onnx
from simworld.agents.visuomotor.visuomotor_policy import VisuomotorPolicy


def export_policy(policy: NetworkPolicy | VisuomotorPolicy, path: Path) -> None:
    """Write a file that gives the `action` (n, a) for what is observed, as the environment has it; n is free.

    That is `observation` (n, d), and `achieved_goal` and `desired_goal` (n, g), of float32; of what acts by sight it is
    `observation` and the image of each camera (n, h, w, 3) of uint8. Raises DatasetError.
    """
    sizes, architecture = policy.architecture.interface.sizes, policy.architecture
    inputs = {name: torch.zeros(2, size) for name, size in sizes.items()}
    acting: nn.Module
    if isinstance(policy, NetworkPolicy):
        acting = _Acting(policy)
    else:
        acting, (width, height) = _ActingBySight(policy), policy.architecture.image_size
        images = {key: torch.zeros(2, height, width, 3, dtype=torch.uint8) for key in policy.architecture.keys}
        inputs = {"observation": inputs["observation"]} | images
    write_onnx(path, acting, inputs, ["action"], {"architecture": architecture.model_dump_json()})


class _Acting(nn.Module):
    """A policy with its features, which are sums of what is observed, and so one matrix, but for some that bend."""

    matrix: torch.Tensor

    def __init__(self, policy: NetworkPolicy) -> None:
        super().__init__()
        self._network, self._bound, self._architecture = policy.network, policy.bound, policy.architecture
        self.register_buffer("matrix", torch.from_numpy(feature_matrix(policy.architecture)))

    def forward(self, observation: torch.Tensor, achieved: torch.Tensor, desired: torch.Tensor) -> torch.Tensor:
        """Actions (n, a)."""
        seen = torch.cat([observation, achieved, desired], dim=1)
        bent = bent_features(self._architecture, observation, desired)
        action: torch.Tensor = self._bound(self._network(torch.cat([seen @ self.matrix, *bent], dim=1)))
        return action


class _ActingBySight(nn.Module):
    """A policy that takes the image of each camera by itself."""

    def __init__(self, policy: VisuomotorPolicy) -> None:
        super().__init__()
        self._network = policy.network

    def forward(self, observation: torch.Tensor, *images: torch.Tensor) -> torch.Tensor:
        """Actions (n, a)."""
        return self._network.action(torch.stack(images, dim=1), observation)
