"""`simworld recover`: what the expert would have made of episodes that were lost."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import GOES_ON, Out
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def recover(
    rollouts: Annotated[Path, typer.Argument(help="Episodes of a policy, as `rollout --policy` makes them.")],
    out: Out,
    before: Annotated[
        list[int] | None,
        typer.Option(
            min=1, metavar="STEPS", help="Steps before one is lost; may be repeated.", show_default="10, 25 and 50"
        ),
    ] = None,
) -> None:
    """Make demonstrations of how what went wrong is mended: episodes that were lost, with the expert taking over."""
    from simworld.experiments.recipes.learning.recovering import BEFORE, write_recoveries

    with progress("episodes that were lost", None) as tell:
        report = write_recoveries(out, rollouts, before=before or BEFORE, progress=tell)
    say(f"{report.episodes} episodes of the expert are in {report.folder}")
