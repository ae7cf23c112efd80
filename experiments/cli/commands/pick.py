"""`simworld pick`: how often a robot puts a thing in the box that it sees."""

from typing import Annotated, Any

import typer

from simworld.experiments.cli.arguments import (
    GOES_ON,
    Cameras,
    Out,
    RendererName,
    VisionModel,
    asked_randomization,
    parse_size,
)
from simworld.experiments.cli.console import progress, say, table

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def pick(
    model: VisionModel,
    out: Out,
    camera: Cameras,
    episodes: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 100,
    renderer: RendererName = "mitsuba",
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the pictures in pixels.")] = "320x240",
    randomization: Annotated[
        str | None,
        typer.Option(
            show_default="as `testset`",
            help="Presets or a YAML file, as for `images`; which things are on the table is not drawn by it.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The first seed.")] = 0,
) -> None:
    """Put things in the box by what a vision model says of one picture, in place of the true state.

    It takes one that says where things are: a `detector`, or a model `position`, `pose` or `all`.
    """
    from simworld.experiments.recipes.vision.picking import RESULTS, write_picks
    from simworld.experiments.recipes.vision.testset import RANDOMIZATION

    asked = asked_randomization(RANDOMIZATION if randomization is None else randomization, [])
    with progress("episodes", episodes) as tell:
        found = write_picks(
            out,
            model,
            renderer_name=renderer,
            episodes=episodes,
            first_seed=seed,
            randomization=asked,
            cameras=camera,
            size=parse_size(size),
            progress=tell,
        )
    rows: list[list[Any]] = []
    for name in ("by_sight", "by_state"):
        told = found[name]
        low, high = told["interval"]
        rate = f"{told['successes']} of {told['episodes']} (95% interval {low:.1%} to {high:.1%})"
        rows.append([name.replace("_", " "), rate, ", ".join(f"{kind} {n}" for kind, n in told["failures"].items())])
    table("Put in the box", ["", "success", "failures"], rows)
    if (off := found["off_cm"]) is not None:
        say(f"estimates are off by {off['median']:.1f} cm (median), {off['90%']:.1f} cm (90%)")
    say(f"each episode is in {out / RESULTS}, and the pictures of what failed are beside it")
