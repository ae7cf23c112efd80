"""`simworld images`: labelled images."""

from typing import Annotated

import typer

from simworld.experiments.cli.arguments import (
    GOES_ON,
    Budget,
    Cameras,
    Change,
    ControlName,
    DataSeed,
    EnvId,
    Normalization,
    Out,
    Preset,
    Quota,
    RendererName,
    Replays,
    Robot,
    TrustPickle,
    Variant,
    Workers,
    asked_randomization,
    env_options,
    parse_size,
    refuse,
    say_images,
    searching,
)
from simworld.experiments.cli.console import progress

commands = typer.Typer()


@commands.command(context_settings=GOES_ON)
def images(
    env_id: EnvId,
    out: Out,
    variant: Variant,
    randomize: Change,
    quota: Quota,
    camera: Cameras,
    views: Annotated[
        str, typer.Option(help="Each scene by `one` of the cameras, which take turns, or by `all` of them.")
    ] = "one",
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 300,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "320x240",
    renderer: RendererName = "raster",
    seed: DataSeed = None,
    randomization: Preset = "default",
    budget: Budget = None,
    replays: Replays = None,
    policy: Annotated[
        str, typer.Option(help="Who acts before the picture, as for `rollout`; or none, and the robot holds still.")
    ] = "expert",
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    robot: Robot = None,
    control: ControlName = None,
    workers: Workers = 1,
) -> None:
    """Write labelled images in COCO's format, with depth, segmentation, 3D boxes and 6D poses."""
    if not quota:
        refuse("without --quota", budget=budget, replays=replays)
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.labelled_images import write_labelled_images

    with searching(count, budget) as searched, progress("images", count) as tell:
        report = write_labelled_images(
            out,
            env_id,
            count=count,
            seed=seed,
            randomization=asked_randomization(randomization, randomize),
            cameras=camera,
            views=views,
            renderer_name=renderer,
            size=parse_size(size),
            quotas=quota,
            budget=budget,
            replays=replays or 0,
            policy=policy,
            trust_pickle=trust_pickle,
            normalization=normalization,
            options=env_options(robot, control, variant),
            engine=make_engine(workers),
            progress=tell,
            searched=searched,
        )
    say_images(report)
