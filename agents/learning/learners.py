"""Networks that share their weights and learn from parts of a batch side by side, each in a thread of its own."""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import torch
from torch import nn


class LearningNetwork(nn.Module):
    """A network that says how wrong it is."""

    def losses(self, batch: Any, precision: torch.dtype) -> dict[str, torch.Tensor]:
        """Each of its errors on a batch, wherever its weights are, with convolutions of a precision."""
        raise NotImplementedError


def numbers_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Its weights and the statistics by which it normalizes, by name."""
    return {name: values for name, values in network.state_dict().items() if values.is_floating_point()}


class Learners:
    """So many of them, of which the first is given; it has the mean of their gradients and statistics after each batch.

    Threads of torch are divided among them. `close` ends theirs.
    """

    def __init__(self, first: LearningNetwork, count: int, precision: torch.dtype) -> None:
        self._precision = precision
        others = [copy.deepcopy(first) for _ in range(count - 1)]
        for other in others:
            for parameter, own in zip(other.parameters(), first.parameters(), strict=True):
                parameter.data = own.data
        self._all = [first, *others]
        self._statistics = [[values for values in one.buffers() if values.is_floating_point()] for one in self._all]
        self._pool: ThreadPoolExecutor | None = None

    def learn(self, batch: Sequence[Any]) -> dict[str, float]:
        """Leave the gradients of a batch, of which each has a part: the mean losses."""
        first, *others = self._all
        threads = torch.get_num_threads()
        each = max(1, threads // len(self._all))
        if self._pool is None and others:
            self._pool = ThreadPoolExecutor(len(others), initializer=torch.set_num_threads, initargs=(each,))
        for statistics in self._statistics[1:]:
            torch._foreach_copy_(statistics, self._statistics[0])
        own, *rest = batch
        pairs = zip(others, rest, strict=True)
        pending = [self._pool.submit(self._learn, *pair) for pair in pairs] if self._pool else []
        torch.set_num_threads(each)
        try:
            told = [self._learn(first, own), *(one.result() for one in pending)]
        finally:
            wait(pending)
            torch.set_num_threads(threads)
        _average([[p.grad for p in one.parameters() if p.grad is not None] for one in self._all])
        _average(self._statistics)
        return {name: sum(losses[name] for losses in told) / len(told) for name in told[0]}

    def close(self) -> None:
        """End the threads; they begin again where they are needed."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _learn(self, network: LearningNetwork, part: Any) -> dict[str, float]:
        network.train()
        losses = network.losses(part, self._precision)
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        torch.stack([*losses.values()]).sum().backward()  # type: ignore[no-untyped-call]
        return {name: value.item() for name, value in losses.items()}


def _average(tensors: Sequence[list[torch.Tensor]]) -> None:
    """Make the first ones the mean of all."""
    first, *rest = tensors
    for other in rest:
        torch._foreach_add_(first, other)
    if rest:
        torch._foreach_div_(first, len(tensors))
