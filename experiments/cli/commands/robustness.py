"""`simworld robustness`: where a policy holds, and what makes it fail."""

from typing import Annotated, Any

import typer

from simworld.experiments.cli.arguments import (
    GOES_ON,
    Change,
    ControlName,
    EnvOrRun,
    Normalization,
    Out,
    Robot,
    TriedIn,
    TriedPolicy,
    TrustPickle,
    Variant,
    Workers,
    asked_randomization,
    env_options,
)
from simworld.experiments.cli.console import progress, say, table

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def robustness(
    env_id: EnvOrRun,
    out: Out,
    variant: Variant,
    randomize: Change,
    policy: TriedPolicy = None,
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    episodes: Annotated[int, typer.Option(min=2, help="How many seeds each part of a factor is tried on.")] = 50,
    seed: Annotated[int, typer.Option(min=0, max=2**30, help="The first seed.")] = 0,
    randomization: TriedIn = None,
    beyond: Annotated[
        str, typer.Option(help="What else each factor is to be by itself: a preset, a YAML file, or several with +.")
    ] = "extreme",
    videos: Annotated[int, typer.Option(min=0, max=100, help="Videos of the factors that hurt most.")] = 0,
    robot: Robot = None,
    control: ControlName = None,
    workers: Workers = 1,
) -> None:
    """Try a policy with one factor of the world after the other, and write a card of where it holds.

    --randomization is what it was trained with, as the folder of a training says itself.
    """
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.learning.stressing import write_robustness
    from simworld.experiments.recipes.trained import called, tried

    env, policy, varied = tried(env_id, policy, randomization)
    with progress("episodes", None) as tell:
        card = write_robustness(
            out,
            env,
            policy=policy,
            trust_pickle=trust_pickle,
            normalization=normalization,
            episodes=episodes,
            first_seed=seed,
            randomization=asked_randomization(varied, randomize),
            beyond=asked_randomization(beyond, []),
            videos=videos,
            options=env_options(robot, control, variant),
            engine=make_engine(workers),
            progress=tell,
        )
    rows: list[list[Any]] = [
        [each.axis, each.factors, each.hurting, *("" if r is None else f"{r:.0%}" for r in (each.trained, each.beyond))]
        for each in card.axes
        if each.factors
    ]
    table(f"{policy} on {called(env)}: {card.success:.0%}", ["axis", "factors", "that hurt", "trained", "beyond"], rows)
    say(f"the card is {out / 'README.md'}")
