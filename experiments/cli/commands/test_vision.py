"""`simworld test-vision`: how good a model is."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import Json, VisionModel
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()


@commands.command("test-vision")
def test_vision(
    model: VisionModel,
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="A folder that `simworld images` wrote.")],
    json: Json = False,
) -> None:
    """Measure a model on labelled images: COCO's average precision, and errors of positions, poses and keypoints."""
    import json as text

    from simworld.experiments.recipes.vision.vision_models import measure_model

    with progress("images", None) as tell:
        found = measure_model(model, images, tell)
    if json:
        print(text.dumps(found))
        return
    for name, value in found.items():
        say(f"{name}: {value}")
