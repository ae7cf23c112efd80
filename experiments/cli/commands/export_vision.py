"""`simworld export-vision`: a model for programs that know nothing of torch."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import VisionModel
from simworld.experiments.cli.console import say

commands = typer.Typer()


@commands.command("export-vision")
def export_vision(
    model: VisionModel,
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")] = Path("model.onnx"),
) -> None:
    """Write a model as ONNX: images of float32 in 0..255 to the answers of its heads."""
    from simworld.experiments.recipes.vision.vision_models import loaded

    network = loaded(model)
    from simworld.agents.vision.onnx_export import export_onnx

    export_onnx(network, out)
    say(
        f"{out}: {' x '.join(map(str, network.architecture.size))} pixels, {', '.join(network.architecture.categories)}"
    )
