"""`simworld play`: a policy to look at."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import (
    Change,
    ControlName,
    EnvId,
    Normalization,
    PolicyName,
    Preset,
    Robot,
    Seed,
    TrustPickle,
    Variant,
    asked_randomization,
    env_options,
    parse_size,
    refuse,
)
from simworld.experiments.cli.console import say

commands = typer.Typer()


@commands.command()
def play(
    env_id: EnvId,
    variant: Variant,
    randomize: Change,
    policy: PolicyName = "expert",
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes.")] = 3,
    video: Annotated[Path | None, typer.Option(help="Write this .mp4 file instead of opening a window.")] = None,
    camera: Annotated[str | None, typer.Option(show_default="front", help="The video's camera.")] = None,
    size: Annotated[
        str | None, typer.Option(show_default="480x360", help="The video's WIDTHxHEIGHT in pixels.")
    ] = None,
    seed: Seed = 0,
    randomization: Preset = "default",
    robot: Robot = None,
    control: ControlName = None,
) -> None:
    """Watch a policy, in a window or a video file."""
    if video is None:
        refuse("without --video", camera=camera, size=size)
    from simworld.experiments.recipes.source import PolicySource
    from simworld.experiments.watch import record, watch

    asked = asked_randomization(randomization, randomize)
    source = PolicySource(policy, trust_pickle, normalization)
    options = source.with_its_own(env_options(robot, control, variant))
    if video is None:
        watch(env_id, source, episodes=episodes, seed=seed, randomization=asked, options=options, tell=say)
        return
    frames = record(
        video,
        env_id,
        source,
        seeds=range(seed, seed + episodes),
        randomization=asked,
        options=options,
        camera="front" if camera is None else camera,
        size=parse_size("480x360" if size is None else size),
        tell=say,
    )
    say(f"{frames} frames in {video}")
