"""`simworld rollout`: episodes."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import (
    GOES_ON,
    Budget,
    Change,
    ControlName,
    DataSeed,
    EnvId,
    Normalization,
    Out,
    PolicyName,
    Preset,
    Quota,
    Replays,
    Robot,
    TrustPickle,
    Variant,
    Workers,
    asked_randomization,
    env_options,
    parse_size,
    refuse,
    say_redrawn,
    searching,
)
from simworld.experiments.cli.console import progress, say

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def rollout(
    env_id: EnvId,
    out: Out,
    variant: Variant,
    randomize: Change,
    quota: Quota,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes.")] = 100,
    policy: PolicyName = "expert",
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    seed: DataSeed = None,
    randomization: Preset = "default",
    noise: Annotated[float, typer.Option(min=0.0, max=1.0, help="Noise of the executed actions.")] = 0.0,
    minari: Annotated[str, typer.Option(metavar="ID", help="Also export as this Minari dataset.")] = "",
    minari_root: Annotated[
        Path | None, typer.Option(show_default="where Minari looks", help="The folder of the Minari datasets.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a Minari dataset of that id.")] = False,
    budget: Budget = None,
    replays: Replays = None,
    robot: Robot = None,
    control: ControlName = None,
    observation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default="state", help="What is observed and stored: state, rgb, ...; may be repeated."
        ),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="the first", help="A camera of observed images; may be repeated."),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", show_default="84x84", help="WIDTHxHEIGHT of observed images, in pixels."),
    ] = None,
    workers: Workers = 1,
) -> None:
    """Write episodes of a policy, and a Minari dataset of them."""
    if not minari:
        refuse("without --minari", minari_root=minari_root, overwrite=overwrite or None)
    if not quota:
        refuse("without --quota", budget=budget, replays=replays)
    observed = {
        "observation": observation,
        "cameras": camera,
        "image_size": parse_size(image_size, "--image-size") if image_size else None,
    }
    from simworld.datasets.store.episode_reading import read_episodes
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.rollouts import check_export, export_rollouts, write_rollouts

    if minari:
        check_export(out, minari, minari_root, overwrite)
    with searching(episodes, budget) as searched, progress("episodes", episodes) as tell:
        report = write_rollouts(
            out,
            env_id,
            episodes=episodes,
            policy=policy,
            trust_pickle=trust_pickle,
            normalization=normalization,
            seed=seed,
            randomization=asked_randomization(randomization, randomize),
            noise=noise,
            quotas=quota,
            budget=budget,
            replays=replays or 0,
            options=env_options(robot, control, variant) | {name: value for name, value in observed.items() if value},
            engine=make_engine(workers),
            progress=tell,
            searched=searched,
        )
    say(f"{report.episodes} episodes in {out} ({report.made} new), seed {report.seed}")
    if said := next(read_episodes(out)).instruction:
        say(f"instructed, such as {said!r}")
    say_redrawn(report.redrawn, "episodes")
    if minari:
        path, is_new = export_rollouts(out, minari, minari_root, overwrite)
        say(f"Minari dataset in {path}{'' if is_new else ', there already'}")
