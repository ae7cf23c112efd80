"""`simworld factors`: what may vary."""

from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError, nearest
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, say

commands = typer.Typer()


@commands.command()
def factors(
    env_id: Annotated[
        str, typer.Argument(metavar="ENV", help="An environment alone, as for `rollout`.", show_default="all")
    ] = "",
    family: Annotated[
        str, typer.Option(help="One family alone: physics, geometry, appearance, ...", show_default="all")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the factors that randomizations of an environment name, with unit, default, range and meaning."""
    rows = _rows(env_id)
    families = dict.fromkeys(row["family"] for row in rows)
    if family and family not in families:
        raise ConfigurationError(f"no family {family!r}{nearest(family, families)}")
    rows = [row for row in rows if family in ("", row["family"])]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        named = row["kind"] in ("name", "folder")
        allowed = ", ".join(row["allowed"]) if named else f"{row['allowed'][0]} to {row['allowed'][1]}"
        say(f"{row['address']:32} {row['meaning']} [{row['unit'] or row['kind']}; {row['default']}; {allowed}]")


def _rows(env_id: str) -> list[dict[str, Any]]:
    """The factors of an environment, or each once of all that ship."""
    from simworld.envs.config import EnvConfig
    from simworld.envs.tasks import shipped
    from simworld.experiments.recipes.environments import task_of

    tasks = [task_of(env_id)] if env_id else shipped().values()
    rows = (row for task in tasks for row in EnvConfig(task=task).scene.space.described())
    return list({row["address"]: row for row in rows}.values())
