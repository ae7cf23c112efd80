"""`simworld compile`: nobody waits for it later."""

import typer

from simworld.experiments.cli.console import say

commands = typer.Typer()


@commands.command("compile")
def compile_loops() -> None:
    """Compile all loops now, for installations, containers and CI: 45 s, of which a first picture else takes 20."""
    from simworld.experiments.compiling import compile_all

    say(f"compiled loops are kept in {compile_all() or 'no folder: none can be written'}")
