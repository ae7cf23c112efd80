"""`simworld train-vision`: models that see."""

import os
from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import GOES_ON, Out, Seed, parse_size
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()


@commands.command("train-vision", context_settings=GOES_ON)
def train_vision(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGES...", help="One or more folders that `simworld images` wrote.")
    ],
    out: Out,
    category: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            default_factory=list,
            show_default="what is labelled, but for distractors",
            help="A category that is learnt; may be repeated.",
        ),
    ],
    first: Annotated[
        int | None,
        typer.Option(min=2, show_default="all", help="Learn from the first so many images of each folder alone."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="detector (boxes, masks, positions), keypoints, position (in metres), pose (6D), or all of it.",
            show_default="detector",
        ),
    ] = "",
    start: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="A model to go on from, or the name of one that ships, on other images."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches that are learnt from.")] = 6000,
    batch_size: Annotated[int, typer.Option(min=2, help="Windows of images in a batch, an even number.")] = 32,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels that the model sees.", show_default="384x288")] = "",
    learning_rate: Annotated[float, typer.Option(help="The highest of the schedule.")] = 1e-2,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write losses for TensorBoard, too.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read and augment images.")] = 1,
    seed: Seed = 0,
) -> None:
    """Train a model on labelled images: what is where in a picture."""
    # Read when torch is loaded: its threads that wait would otherwise take the cores from those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from simworld.experiments.recipes.vision.vision_models import MODEL, train_model

    with progress("steps", steps) as tell:
        record = train_model(
            out,
            images,
            model=model,
            categories=category,
            first=first,
            size=parse_size(size) if size else None,
            start=start,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            workers=workers,
            tensorboard=tensorboard,
            progress=tell,
        )
    for name, value in record["held_out"].items():
        say(f"{name}: {value}")
    say(f"model in {out / MODEL}; the figures are of images of the same kind that it has not seen")
