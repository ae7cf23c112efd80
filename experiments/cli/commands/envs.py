"""`simworld envs`: which environments there are."""

import typer

from simworld.envs import ENV_IDS
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, table

commands = typer.Typer()


@commands.command()
def envs(as_json: Json = False) -> None:
    """List the environments."""
    rows = [{"id": env_id, "task": task, "max_episode_steps": steps} for env_id, (task, steps) in ENV_IDS.items()]
    if as_json:
        print_json(rows)
    else:
        table("Environments", ["id", "task", "steps"], [list(row.values()) for row in rows])
