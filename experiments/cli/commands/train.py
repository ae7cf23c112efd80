"""`simworld train`: policies."""

from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError
from simworld.experiments.cli.arguments import (
    Change,
    ControlName,
    EnvId,
    PolicyOut,
    Robot,
    Variant,
    asked_randomization,
    env_options,
    refuse,
)
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()

AFTER_INTERRUPT = (
    "; the same command goes on: cloning where it was, visuomotor from its last 500 steps, dagger and reinforcement "
    "from the last test"
)


@commands.command(context_settings={"obj": AFTER_INTERRUPT})
def train(
    env_id: EnvId,
    variant: Variant,
    out: PolicyOut,
    randomize: Change,
    setting: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            default_factory=list,
            show_default=False,
            help="A setting of the algorithm, such as learning_rate=0.0003; may be repeated.",
        ),
    ],
    algorithm: Annotated[
        str, typer.Option(help="cloning, visuomotor, dagger, ddpg or td3 in hindsight, ppo, sac or tqc.")
    ] = "cloning",
    settings: Annotated[
        Path | None, typer.Option(help="A YAML file of settings of the algorithm; those of the options win.")
    ] = None,
    demonstrations: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="cloning, visuomotor, and beside it ddpg, td3: a folder made by `rollout` or `recover`, for "
            "visuomotor of state and rgb; may be repeated.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, show_default="40", help="cloning, dagger: passes over what is learnt from.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="600000 of ddpg and td3, 10000 of visuomotor, 30000 of the others",
            help="ddpg, td3, ppo, sac, tqc: environment steps; visuomotor: batches.",
        ),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            show_default="the first; with ppo dense where the task has it",
            help="ddpg, td3, ppo, sac, tqc: one of the task's.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**31 - 1, show_default="0", help="Root seed: the same seed gives the same result."),
    ] = None,
    randomization: Annotated[
        str | None, typer.Option(show_default="default", help="dagger, ddpg, td3, ppo, sac, tqc: as for `rollout`.")
    ] = None,
    tensorboard: Annotated[
        bool | None, typer.Option("--tensorboard", help="All but cloning: write how it goes for TensorBoard.")
    ] = None,
    robot: Robot = None,
    control: ControlName = None,
) -> None:
    """Train a policy: imitate the expert, by its demonstrations or beside it, or learn by reinforcement."""
    from simworld.experiments.recipes.learning.algorithms import (
        CLONING,
        DAGGER,
        OF_DEMONSTRATIONS,
        OF_GOALS,
        VISUOMOTOR,
        asked_settings,
        check_algorithm,
    )
    from simworld.experiments.recipes.learning.policy_training import train_cloning, train_online, train_visuomotor

    check_algorithm(algorithm)
    if algorithm in OF_DEMONSTRATIONS:
        given: dict[str, Any] = {"randomization": randomization, "randomize": randomize or None, "reward": reward}
        given |= {"steps": steps, "tensorboard": tensorboard} if algorithm == CLONING else {"epochs": epochs}
        refuse(f"with --algorithm {algorithm}", **given)
        if not demonstrations:
            raise ConfigurationError(f"{algorithm} needs --demonstrations: a folder made by `simworld rollout`")
    else:
        idle: dict[str, Any] = {"steps": steps, "reward": reward} if algorithm == DAGGER else {"epochs": epochs}
        idle |= {} if algorithm in OF_GOALS else {"demonstrations": demonstrations or None}
        refuse(f"with --algorithm {algorithm}", **idle)
    own = {name: value for name, value in (("epochs", epochs), ("steps", steps), ("seed", seed)) if value is not None}
    asked: dict[str, Any] = {"options": env_options(robot, control, variant), **asked_settings(settings, setting, own)}
    with progress({CLONING: "epochs", DAGGER: "episodes"}.get(algorithm, "steps"), None) as tell:
        if algorithm != CLONING:
            asked["tensorboard"] = bool(tensorboard)
        if algorithm in OF_DEMONSTRATIONS and demonstrations:
            learn = train_visuomotor if algorithm == VISUOMOTOR else train_cloning
            path = learn(out, env_id, demonstrations, **asked, progress=tell)
        else:
            asked["randomization"] = asked_randomization(randomization or "default", randomize)
            asked |= {"algorithm": algorithm, "reward": reward, "demonstrations": demonstrations or None}
            path = train_online(out, env_id, **asked, progress=tell)
    say(f"policy in {path}")
