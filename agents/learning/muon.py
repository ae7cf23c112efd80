"""Muon (Jordan et al. 2024): steps by momentum whose directions all count alike, for weights that are matrices."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

_MOMENTUM = 0.95
_STEPS, _POLYNOMIAL = 5, (3.4445, -4.7750, 2.0315)
"""Of the iteration that brings all singular values near 1: how many, and a x + b x^3 + c x^5."""
_LIKE_ADAM = 0.2
"""Root mean square of a step at a learning rate of 1, about that of Adam's (Liu et al. 2025)."""


class Muon(torch.optim.Optimizer):
    """For weights (outputs, ...), of which all dimensions but the first are one; those of a shape are computed at once.

    torch's own takes one matrix at a time, and only what has two dimensions: of small networks, twice the time.
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Change the weights by their gradients, whatever the closure."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = {}
            for weights in group["params"]:
                alike.setdefault((len(weights), weights[0].numel()), []).append(weights)
            for (rows, columns), some in alike.items():
                step = group["lr"] * _LIKE_ADAM * max(rows, columns) ** 0.5
                for weights, direction in zip(some, orthogonal(self._moved(some)), strict=True):
                    weights.mul_(1 - group["lr"] * group["weight_decay"])
                    weights.add_(direction.view(weights.shape), alpha=-step)

    def _moved(self, some: list[nn.Parameter]) -> torch.Tensor:
        """Nesterov's momentum (n, rows, columns) of weights of one shape."""
        moved = []
        for weights in some:
            assert weights.grad is not None
            state = self.state[weights]
            if not state:
                state["momentum"] = torch.zeros_like(weights)
            state["momentum"].lerp_(weights.grad, 1 - _MOMENTUM)
            moved.append(weights.grad.lerp(state["momentum"], _MOMENTUM).flatten(1))
        return torch.stack(moved)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices (n, r, c) with the same singular vectors, and all but the smallest singular values near 1.

    The polynomials are of the squares of the smaller side, and are multiplied before these change anything.
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonal(matrices.mT).mT
    (a, b, c), scaled = _POLYNOMIAL, matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    square = scaled @ scaled.mT
    one = torch.eye(square.shape[-1], device=square.device, dtype=square.dtype)
    by = one.expand_as(square)
    for _ in range(_STEPS):
        each = torch.baddbmm(b * square, square, square, alpha=c) + a * one
        by, square = each @ by, each @ square @ each
    directions: torch.Tensor = by @ scaled
    return directions
