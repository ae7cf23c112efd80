"""A model that sees as an ONNX file."""

from pathlib import Path

import torch

from simworld.agents.networks.onnx_writing import write_onnx
from simworld.agents.vision.seeing import SeeingNetwork
from simworld.agents.vision.trunk import LEAST_SIDE


def export_onnx(network: SeeingNetwork, path: Path) -> None:
    """Write a file whose input `images` (n, 3, h, w) of float32 in 0..255 gives each head's answers by its name.

    n, h and w are free, the sides from 64 on. What is made of answers is `SeeingNetwork.see`'s, as docs/vision.md
    has it. Raises DatasetError.
    """
    width, height = network.architecture.size
    images = {"images": torch.zeros(2, 3, height, width)}
    about = {"architecture": network.architecture.model_dump_json()}
    free = {2: ("h", LEAST_SIDE), 3: ("w", LEAST_SIDE)}
    write_onnx(path, network, images, [head.name for head in network.parts], about, free)
