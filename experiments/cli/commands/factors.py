"""`simworld factors`: which factors there are."""

from typing import Annotated

import typer

from simworld.errors import ConfigurationError, nearest
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, say

commands = typer.Typer()


@commands.command()
def factors(
    family: Annotated[str, typer.Argument(help="One family alone: physics, geometry, appearance, ...")] = "",
    as_json: Json = False,
) -> None:
    """List the factors that randomizations name, with unit, default, range and meaning."""
    from simworld.building.factors import FAMILIES, described

    if family and family not in FAMILIES:
        raise ConfigurationError(f"no family {family!r}{nearest(family, FAMILIES)}")
    rows = [row for row in described() if family in ("", row["family"])]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        allowed = row["allowed"] if row["kind"] == "name" else f"{row['allowed'][0]} to {row['allowed'][1]}"
        say(f"{row['address']:32} {row['meaning']} [{row['unit'] or row['kind']}; {row['default']}; {allowed}]")
