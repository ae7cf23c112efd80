"""`simworld demo`: everything once."""

from pathlib import Path

import typer

from simworld.experiments.cli.arguments import GOES_ON, Out

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def demo(out: Out = Path("runs/demo")) -> None:
    """Run everything once: train, evaluate, write datasets and a report (2 to 4 minutes on two cores)."""
    from simworld.experiments.demo import run_demo

    run_demo(out)
