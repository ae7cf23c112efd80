"""`simworld envs`: which environments there are."""

import typer

from simworld.envs import registered_tasks
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, table

commands = typer.Typer()


@commands.command()
def envs(as_json: Json = False) -> None:
    """List the environments."""
    tasks = registered_tasks()
    rows = [{"id": env_id, "task": task.name, "max_episode_steps": task.steps} for env_id, task in tasks.items()]
    if as_json:
        print_json(rows)
    else:
        table("Environments", ["id", "task", "steps"], [list(row.values()) for row in rows])
