"""`simworld play`: a policy to look at."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.arguments import (
    Change,
    EnvId,
    Normalization,
    PolicyName,
    Preset,
    Seed,
    TrustPickle,
    asked_randomization,
    parse_size,
    refuse,
)
from simworld.experiments.cli.console import say

commands = typer.Typer()


@commands.command()
def play(
    env_id: EnvId,
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
) -> None:
    """Watch a policy, in a window or a video file."""
    if video is None:
        refuse("without --video", camera=camera, size=size)
    from simworld.agents.policy import load_policy
    from simworld.experiments.recipes.environments import config_of
    from simworld.experiments.watch import record, watch

    asked = asked_randomization(randomization, randomize)
    act = load_policy(policy, config_of(env_id), trust_pickle=trust_pickle, normalization=normalization)
    if video is None:
        watch(env_id, act, episodes=episodes, seed=seed, randomization=asked)
        return
    frames = record(
        video,
        env_id,
        act,
        seeds=range(seed, seed + episodes),
        randomization=asked,
        camera="front" if camera is None else camera,
        size=parse_size("480x360" if size is None else size),
    )
    say(f"{frames} frames in {video}")
