"""`simworld train`: policies."""

from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError, nearest
from simworld.experiments.cli.arguments import (
    Change,
    ControlName,
    EnvId,
    PolicyOut,
    Robot,
    Seed,
    Variant,
    asked_randomization,
    env_options,
    refuse,
)
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()

ALGORITHMS = "cloning", "ddpg", "ppo", "sac"

AFTER_INTERRUPT = "; the same command goes on from the last epoch of cloning, and begins again with the others"


@commands.command(context_settings={"obj": AFTER_INTERRUPT})
def train(
    env_id: EnvId,
    variant: Variant,
    out: PolicyOut,
    randomize: Change,
    algorithm: Annotated[str, typer.Option(help="cloning, ddpg in hindsight, ppo or sac.")] = "cloning",
    demonstrations: Annotated[Path | None, typer.Option(help="cloning: a folder made by `rollout`.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, show_default="40", help="cloning: passes over the demonstrations.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, show_default="600000 of ddpg, 30000 of the others", help="ddpg, ppo, sac: environment steps."
        ),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            show_default="the first with ddpg, else dense where the task has it",
            help="ddpg, ppo, sac: one of the task's.",
        ),
    ] = None,
    seed: Seed = 0,
    randomization: Annotated[
        str | None, typer.Option(show_default="default", help="ddpg, ppo, sac: as for `rollout`.")
    ] = None,
    robot: Robot = None,
    control: ControlName = None,
) -> None:
    """Train a policy: clone the expert's demonstrations, or learn by reinforcement from scratch."""
    if algorithm not in ALGORITHMS:
        raise ConfigurationError(
            f"algorithm: must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}{nearest(algorithm, ALGORITHMS)}"
        )
    if algorithm == "cloning":
        given = {"randomization": randomization, "randomize": randomize or None}
        refuse("with --algorithm cloning", steps=steps, reward=reward, **given)
    else:
        refuse(f"with --algorithm {algorithm}", demonstrations=demonstrations, epochs=epochs)
    from simworld.experiments.recipes.policies import train_cloning, train_goals, train_reinforcement

    options = env_options(robot, control, variant)
    if algorithm == "cloning":
        epochs = epochs or 40
        if demonstrations is None:
            raise ConfigurationError("cloning needs --demonstrations: a folder made by `simworld rollout`")
        with progress("epochs", epochs) as tell:
            path = train_cloning(out, env_id, demonstrations, epochs=epochs, seed=seed, options=options, progress=tell)
    else:
        steps = steps or (600_000 if algorithm == "ddpg" else 30_000)
        asked: dict[str, Any] = {"steps": steps, "seed": seed, "reward": reward, "options": options}
        asked["randomization"] = asked_randomization(randomization or "default", randomize)
        with progress("steps", steps) as tell:
            if algorithm == "ddpg":
                path = train_goals(out, env_id, **asked, progress=tell)
            else:
                path = train_reinforcement(out, env_id, algorithm=algorithm, **asked, progress=tell)
    say(f"policy in {path}")
