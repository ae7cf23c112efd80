"""`simworld identify`: what a simulation is to be like to do what was seen elsewhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.experiments.cli.arguments import Change, Workers, asked_randomization
from simworld.experiments.cli.console import progress, say, table

commands = typer.Typer()


@commands.command()
def identify(
    rollouts: Annotated[list[Path], typer.Argument(help="Folders of episodes, as `rollout` makes them.")],
    out: Annotated[Path, typer.Option(help="The folder to write; what was stopped goes on.")],
    randomize: Change,
    episodes: Annotated[
        int | None, typer.Option(min=1, show_default="all", help="How many of each folder are taken.")
    ] = None,
    generations: Annotated[int, typer.Option(min=1, max=10_000, help="How often an evolution proposes values.")] = 20,
    candidates: Annotated[int, typer.Option(min=4, max=1_000, help="Values proposed at a time, at first.")] = 16,
    margin: Annotated[
        float, typer.Option(min=0.0, max=0.99, help="Around what is likely, as a share of what is possible.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of what is proposed.")] = 0,
    workers: Workers = 1,
) -> None:
    """Find values of factors with which episodes come out as they were observed, and write a randomization around them.

    --randomize says what is to be found and what is possible, such as objects.*.mass=loguniform(0.03,1).
    """
    from simworld.agents.reality.identification import IdentificationSettings
    from simworld.experiments.recipes.learning.identifying import RANDOMIZATION, write_identification

    settings = IdentificationSettings(generations=generations, candidates=candidates, seed=seed)
    with progress("generations", settings.total) as tell:
        found = write_identification(
            out,
            rollouts,
            asked_randomization("none", randomize),
            episodes=episodes,
            settings=settings,
            margin=margin,
            progress=tell,
            workers=workers,
        )
    rows: list[list[Any]] = [
        [name, f"{one['value']:.4g}", "{:.4g} to {:.4g}".format(*one["interval"])]
        for name, one in found["estimates"].items()
    ]
    table(f"Found out from {found['traces']} episodes", ["factor", "value", "95% interval"], rows)
    units = {"position": (1e3, "mm"), "joint_position": (1e3, "mrad"), "joint_effort": (1.0, "N m")}
    told = ((scale, *units[kind]) for kind, scale in found["scales"][-1].items())
    say(f"most differences are within {', '.join(f'{times * scale:.2g} {unit}' for scale, times, unit in told)}")
    say(f"a randomization around it is {out / RANDOMIZATION}")
