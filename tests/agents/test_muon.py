"""Muon's steps: as large in every direction, whatever the gradients are."""

from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from simworld.agents.learning.learners import LearningNetwork
from simworld.agents.learning.muon import Muon, orthogonal
from simworld.agents.learning.network_training import LearningSettings, NetworkTraining


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


def test_steps_are_as_large_as_adams_and_follow_the_momentum() -> None:
    generator = torch.Generator().manual_seed(1)
    shapes = (16, 8, 3, 3), (16, 8, 3, 3), (4, 6, 1, 1)
    weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    muon, momentum = Muon(weights, lr=0.01, weight_decay=0.5), [torch.zeros(shape) for shape in shapes]
    for _ in range(3):
        before = [each.detach().clone() for each in weights]
        gradients = [1e-3 * torch.randn(shape, generator=generator) for shape in shapes]
        for one, gradient in zip(weights, gradients, strict=True):
            one.grad = gradient.clone()
        muon.step()
        momentum = [0.95 * own + 0.05 * gradient for own, gradient in zip(momentum, gradients, strict=True)]
        for one, was, own, gradient in zip(weights, before, momentum, gradients, strict=True):
            step = one.detach() - 0.995 * was
            along = (0.05 * gradient + 0.95 * own).flatten(1)
            size = 0.2 * 0.01 * max(along.shape) ** 0.5
            np.testing.assert_allclose(step.flatten(1), -size * orthogonal(along[None])[0], atol=1e-6)
            assert 0.7 * 0.2 * 0.01 < step.square().mean().sqrt() < 1.2 * 0.2 * 0.01


@pytest.mark.parametrize(("optimizer", "count"), (("adamw", 0), ("muon", 2)))
def test_convolutions_of_more_than_one_output_are_learnt_by_muon(
    optimizer: Literal["adamw", "muon"], count: int
) -> None:
    class Some(LearningNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1), nn.Conv2d(2, 1, 1))

    network = Some()
    adam, *muon = NetworkTraining(network, LearningSettings(optimizer=optimizer), "x")._optimizers
    taken = [each for one in muon for group in one.param_groups for each in group["params"]]
    assert len(taken) == count and all(len(each) in (2, 4) and each.dim() == 4 for each in taken)
    assert sum(len(group["params"]) for group in adam.param_groups) == len([*network.parameters()]) - count
