"""A policy as an ONNX file: what it observes to what it does."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from simworld.agents.network import NetworkPolicy
from simworld.agents.onnx_writing import write_onnx
from simworld.agents.policy import Seen


def export_policy(policy: NetworkPolicy, path: Path) -> None:
    """Write a file that gives the `action` (n, a) for `observation` (n, d), `achieved_goal` and `desired_goal` (n, g).

    All are float32, as the environment has them, and n is free. Raises DatasetError.
    """
    sizes = policy.architecture.interface.sizes
    inputs = {name: torch.zeros(2, size) for name, size in sizes.items()}
    about = {"architecture": policy.architecture.model_dump_json()}
    write_onnx(path, _Acting(policy), inputs, ["action"], about)


class _Acting(nn.Module):
    """A policy with its features, each of which is a sum of what is observed: so all of them are one matrix."""

    matrix: torch.Tensor

    def __init__(self, policy: NetworkPolicy) -> None:
        super().__init__()
        self._network, self._bound = policy.network, policy.bound
        sizes = [*policy.architecture.interface.sizes.values()]
        each = np.split(np.eye(sum(sizes), dtype=np.float32), np.cumsum(sizes)[:-1], axis=1)
        self.register_buffer("matrix", torch.from_numpy(policy.features(Seen(*each))))

    def forward(self, observation: torch.Tensor, achieved: torch.Tensor, desired: torch.Tensor) -> torch.Tensor:
        """Actions (n, a)."""
        seen = torch.cat([observation, achieved, desired], dim=1)
        action: torch.Tensor = self._bound(self._network(seen @ self.matrix))
        return action
