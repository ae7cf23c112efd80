"""A network as an ONNX file, for programs that know nothing of torch: the same answers within 1e-4."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from simworld.agents.vision.seeing import SeeingNetwork
from simworld.errors import DatasetError
from simworld.extras import extras
from simworld.writing import atomically, reporting


def export_onnx(network: SeeingNetwork, path: Path) -> None:
    """Write a file whose input `images` (n, 3, h, w) of float32 in 0..255 gives each head's answers by its name.

    n is free; h and w are those of the network. What is made of answers is `SeeingNetwork.see`'s, as docs/vision.md
    has it. Raises DatasetError.
    """
    if not path.parent.is_dir():
        raise DatasetError(f"cannot write {path}: there is no folder {path.parent}")
    with extras():
        import onnxscript  # noqa: F401 - what torch writes the file with
    width, height = network.architecture.size
    names = [head.name for head in network.parts]
    with _quietly():
        program = torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, height, width),),
            dynamo=True,
            input_names=["images"],
            output_names=names,
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props["architecture"] = network.architecture.model_dump_json()
    with reporting(path), atomically(path) as temporary:
        program.save(str(temporary), external_data=False)


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
