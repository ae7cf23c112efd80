"""`simworld render`: one picture of a scene file."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import RendererName, parse_size
from simworld.experiments.cli.console import say

commands = typer.Typer()


@commands.command()
def render(
    scene: Annotated[Path, typer.Argument(help="A scene file: JSON, as `env.unwrapped.sample.scene.to_json()`.")],
    out: Annotated[Path, typer.Option(help="The .png picture to write.")],
    camera: Annotated[str, typer.Option(help="One of the scene's cameras.")] = "front",
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "640x480",
    renderer: RendererName = "raster",
    channel: Annotated[
        str, typer.Option(help="rgb, or in colours: depth, segmentation, links, normals, nocs or amodal.")
    ] = "rgb",
) -> None:
    """Render a scene file."""
    from simworld.experiments.recipes.scenes import render_scene

    render_scene(scene, out, camera=camera, size=parse_size(size), renderer_name=renderer, channel=channel)
    say(f"{out}")
