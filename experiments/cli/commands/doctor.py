"""`simworld doctor`: whether all works here."""

import typer

from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, say

commands = typer.Typer()


@commands.command()
def doctor(as_json: Json = False) -> None:
    """Check that every renderer works here, that they agree, how fast they are, and the cache."""
    from simworld.experiments.doctor import diagnose

    report = diagnose()
    if as_json:
        print_json(report)
    else:
        about = {"python": report["machine"]["python"], "cores": report["machine"]["cores"]} | report["versions"]
        say(", ".join(f"{name} {value or 'missing'}" for name, value in about.items()))
        for finding in report["findings"]:
            say(f"{finding['verdict']:4}  {finding['about']:8} {finding['text']}")
            if finding["fix"]:
                say(f"      {'':8} -> {finding['fix']}")
    if not report["ok"]:
        raise typer.Exit(1)
