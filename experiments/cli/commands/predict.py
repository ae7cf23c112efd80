"""`simworld predict`: what a model sees in pictures."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import VisionModel
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()


@commands.command()
def predict(
    model: VisionModel,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES...", help="Pictures, videos, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write.")] = Path("predictions"),
    camera: Annotated[
        Path | None,
        typer.Option(
            help="The camera that took them, as JSON with K and world_to_camera as in annotations.json: for positions "
            "and poses, by models that tell them."
        ),
    ] = None,
    least: Annotated[float, typer.Option(min=0, max=1, help="The score from which something is told of.")] = 0.3,
) -> None:
    """Draw what a model finds in pictures, and list it in `found.json`."""
    from simworld.experiments.recipes.vision.predictions import FOUND, predict as look

    with progress("pictures", None) as tell:
        count = look(model, images, out, camera=camera, least=least, progress=tell)
    say(f"{count} pictures in {out}, and what was found in {out / FOUND}")
