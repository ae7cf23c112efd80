"""`simworld replay`: labelled images of stored episodes."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import GOES_ON, Cameras, Out, RendererName, Workers, parse_size, say_images
from simworld.experiments.cli.console import progress

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def replay(
    rollouts: Annotated[Path, typer.Argument(help="A folder made by `rollout`.")],
    out: Out,
    camera: Cameras,
    every: Annotated[int, typer.Option(min=1, help="Pictures are taken each so many steps, from the first on.")] = 10,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "320x240",
    renderer: RendererName = "raster",
    workers: Workers = 1,
) -> None:
    """Write labelled images of stored episodes, by any camera, at any size: nothing is simulated again."""
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.replayed_images import write_replayed_images

    seen = parse_size(size)
    with progress("images", None) as tell:
        report = write_replayed_images(
            out,
            rollouts,
            cameras=camera,
            every=every,
            size=seen,
            renderer_name=renderer,
            engine=make_engine(workers),
            progress=tell,
        )
    say_images(report)
