"""Muon's steps: as large in every direction, whatever the gradients are."""

import numpy as np
import pytest
import torch
from torch import nn

from simworld.agents.learning.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", ((3, 12, 40), (2, 40, 12), (1, 8, 8)))
def test_directions_are_those_of_the_matrix_and_all_count(shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(0)
    matrices = random.normal(size=shape) @ np.diag(np.geomspace(1, 0.03, shape[2]))
    found = orthogonal(torch.from_numpy(matrices).float()).numpy()
    for matrix, direction in zip(matrices, found, strict=True):
        u, _, v = np.linalg.svd(matrix, full_matrices=False)
        along = u.T @ direction @ v.T  # of whose singular vectors these are
        values = np.diag(along)
        np.testing.assert_allclose(along, np.diag(values), atol=1e-3)
        assert values.min() > 0.6 and values.max() < 1.25
    np.testing.assert_allclose(orthogonal(torch.from_numpy(1e3 * matrices).float()), found, atol=1e-3)
    assert not orthogonal(torch.zeros(shape)).any()


def test_a_step_is_as_large_as_adams() -> None:
    generator = torch.Generator().manual_seed(1)
    weights = [nn.Parameter(torch.randn(16, 8, 3, 3, generator=generator)) for _ in range(2)]
    weights.append(nn.Parameter(torch.randn(4, 6, 1, 1, generator=generator)))
    before = [each.detach().clone() for each in weights]
    muon = Muon(weights, lr=0.01, weight_decay=0.5)
    for each in weights:
        each.grad = 1e-3 * torch.randn(each.shape, generator=generator)
    muon.step()
    for was, now in zip(before, weights, strict=True):
        step = now.detach() - 0.995 * was
        assert 0.5 * 0.2 * 0.01 < step.square().mean().sqrt() < 1.5 * 0.2 * 0.01
    alone = nn.Parameter(before[1].clone())
    alone.grad = weights[1].grad
    Muon([alone], lr=0.01, weight_decay=0.5).step()
    np.testing.assert_allclose(alone.detach(), weights[1].detach(), atol=1e-6)
