"""`simworld images`: labelled images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from simworld.agents.curation.focus_record import MeasuredFocus

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
    model: Annotated[
        Path | None,
        typer.Option(
            "--for",
            metavar="MODEL",
            show_default=False,
            help="A model of `train-vision`, or the name of one that ships: more of the scenes in which it errs more. "
            "It is measured first, by one process, and again from the beginning if that is stopped.",
        ),
    ] = None,
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
    if quota:
        refuse("with --quota, which says itself which scenes there are", **{"for": model})
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.labelled_images import write_labelled_images

    asked: dict[str, Any] = {
        "count": count,
        "randomization": asked_randomization(randomization, randomize),
        "options": env_options(robot, control, variant),
        "policy": policy,
        "trust_pickle": trust_pickle,
        "normalization": normalization,
        "cameras": camera,
        "views": views,
        "size": parse_size(size),
        "renderer_name": renderer,
    }
    focus = None if model is None else _focus(model, out, env_id, asked)
    with searching(count, budget) as searched, progress("images", count) as tell:
        report = write_labelled_images(
            out,
            env_id,
            **asked,
            seed=seed,
            quotas=quota,
            budget=budget,
            replays=replays or 0,
            focus=focus,
            engine=make_engine(workers),
            progress=tell,
            searched=searched,
        )
    say_images(report)


def _focus(model: Path, out: Path, env_id: str, asked: dict[str, Any]) -> "MeasuredFocus":
    """What a model says is to be drawn, which is told."""
    from simworld.experiments.cli.focus_report import say_focus
    from simworld.experiments.recipes.vision.focusing import focus_for, fresh_images, told_since

    with progress("what the model sees", fresh_images(asked["count"])) as tell:
        focus = focus_for(model, out, env_id, **asked, progress=tell)
    say_focus(focus, told_since(model, focus))
    return focus
