"""`simworld testset`: images to test vision models on."""

from typing import Annotated

import typer

from simworld.experiments.cli.arguments import GOES_ON, Out, Seed, Workers, parse_size, say_images
from simworld.experiments.cli.console import progress

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def testset(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="How many images; the first are the same whatever it is.")] = 300,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "320x240",
    known: Annotated[
        bool,
        typer.Option("--known", help="Show the first instance of each family, in place of those never trained on."),
    ] = False,
    workers: Workers = 1,
    seed: Seed = 0,
) -> None:
    """Write path-traced images of what no preset for training draws, to test vision models on."""
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.vision.testset import write_testset

    with progress("images", count) as tell:
        report = write_testset(
            out,
            count=count,
            size=parse_size(size),
            seed=seed,
            known=known,
            engine=make_engine(workers),
            progress=tell,
        )
    say_images(report)
