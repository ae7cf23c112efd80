"""Networks as ONNX files, for programs that know nothing of torch: the same answers within 1e-4."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from simworld.errors import DatasetError
from simworld.extras import extras
from simworld.writing import atomically, reporting


def write_onnx(
    path: Path,
    network: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    about: Mapping[str, str],
    free: Mapping[int, tuple[str, int]] = MappingProxyType({}),
) -> None:
    """Write a network whose answers have these names; `inputs` (2, ...) are such as it takes, and how many is free.

    So are sides in other `free` dimensions, which have a name and a least each. `about` is the file's metadata. Raises
    DatasetError.
    """
    if not path.parent.is_dir():
        raise DatasetError(f"cannot write {path}: there is no folder {path.parent}")
    with extras():
        import onnxscript  # noqa: F401 - what torch writes the file with
    dimensions = {0: torch.export.Dim("n", min=1)}
    dimensions |= {place: torch.export.Dim(name, min=least) for place, (name, least) in free.items()}
    with _quietly():
        program = torch.onnx.export(
            _Called(network).eval(),
            tuple(inputs.values()),
            dynamo=True,
            input_names=[*inputs],
            output_names=[*outputs],
            dynamic_shapes=(tuple(dimensions for _ in inputs),),
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(about)
    with reporting(path), atomically(path) as temporary:
        program.save(str(temporary), external_data=False)


class _Called(nn.Module):
    """A network of any number of inputs, whatever these are called."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network

    def forward(self, *inputs: torch.Tensor) -> Any:
        """What the network says of them."""
        return self._network(*inputs)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torch says of its own parts."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
