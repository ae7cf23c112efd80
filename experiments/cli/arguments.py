"""The options that several commands take, and how they are read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any

import typer

import simworld
from simworld.errors import ConfigurationError
from simworld.experiments.cli.console import quota_progress, say

if TYPE_CHECKING:
    from simworld.datasets.store.images import ImageReport

GOES_ON = {"obj": "; what was finished is intact, and the same command goes on from there"}
"""Context settings of a command: what is said after an interrupt."""

EnvId = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="An environment id, as listed by `simworld envs`, a task's YAML file, or MODULE:ID, where "
        "importing a module of your own registers the id.",
    ),
]
EnvOrRun = Annotated[
    str,
    typer.Argument(
        metavar="ENV|RUN",
        help="An environment, as other commands take it; or a folder of `train`, whose policy is tried in its own "
        "environment, randomized as it was there.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="The folder to write; a stopped run goes on where it stopped.")]
PolicyOut = Annotated[
    Path,
    typer.Option(
        "--out",
        help="The folder to write; stopped, it goes on from there, or from its last test.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Root seed: the same seed gives the same result.")]
DataSeed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=2**31 - 1,
        show_default="the request's own",
        help="Root seed of the data; requests of the same one share scenes, and `evaluate` takes seeds from 0 on.",
    ),
]
_PRESETS = (
    "A preset (none, default, visual, dynamics, full, extreme), a YAML file, or several joined by +; later ones win."
)
Preset = Annotated[str, typer.Option("--randomization", help=_PRESETS)]
Change = Annotated[
    list[str],
    typer.Option(
        "--randomize",
        metavar="ADDRESS=DISTRIBUTION",
        default_factory=list,
        show_default=False,
        help="Another distribution of a factor, such as objects.*.mass=loguniform(0.02,0.5); may be repeated.",
    ),
]
Quota = Annotated[
    list[str],
    typer.Option(
        metavar="FEATURE=AMOUNT",
        default_factory=list,
        show_default=False,
        help="What the data shall hold: occlusion[0.5,0.8]=30%, objects.0.kind=uniform, dropped=5%; may be repeated.",
    ),
]
Budget = Annotated[
    int | None, typer.Option(min=1, show_default="50 for each", help="With --quota: how many may be tried.")
]
Replays = Annotated[
    int | None,
    typer.Option(
        min=1,
        show_default="none",
        help="With --quota: how many variations of each sample found may be taken too. They share much with it, and "
        "have its group; without, all are independent.",
    ),
]
_POLICIES = "expert, random, one that ships, a folder of `train` or its file, or with --trust-pickle a .zip file."
PolicyName = Annotated[str, typer.Option("--policy", help=_POLICIES)]
TrustPickle = Annotated[
    bool,
    typer.Option(
        "--trust-pickle", help="Load a stable-baselines3 .zip, and run whatever code is in it: trust its maker."
    ),
]
Normalization = Annotated[
    Path | None,
    typer.Option(
        help="With --trust-pickle: the file of the VecNormalize that the model was trained under, or none if it saw "
        "observations as they are."
    ),
]
TriedPolicy = Annotated[str | None, typer.Option("--policy", show_default="expert, or the run's", help=_POLICIES)]
TriedIn = Annotated[str | None, typer.Option("--randomization", show_default="default, or the run's", help=_PRESETS)]
_RENDERERS = sorted(module.name for module in iter_modules([str(Path(simworld.__path__[0], "rendering", "renderers"))]))
"""As `simworld.rendering` finds them, which takes a while to import."""

RendererName = Annotated[
    str, typer.Option("--renderer", help=f"One of {', '.join(_RENDERERS)}; see docs/rendering.md.")
]
Cameras = Annotated[
    list[str],
    typer.Option(
        "--camera",
        metavar="NAME",
        default_factory=lambda: ["front"],
        show_default="front",
        help="A camera; may be repeated.",
    ),
]
Robot = Annotated[
    str | None,
    typer.Option(
        "--robot",
        show_default="that of the trained policy or the demonstrations, or else the task's own",
        help="One of those that `simworld robot` lists.",
    ),
]
ControlName = Annotated[
    str | None,
    typer.Option(
        "--control",
        show_default="that of the trained policy or the demonstrations, or else ee",
        help="What an action is: ee, ee_pose, joint_delta, joint_position or joint_velocity.",
    ),
]
Variant = Annotated[
    list[str],
    typer.Option(
        "--variant",
        metavar="OPTION=VALUE",
        default_factory=list,
        show_default=False,
        help="An option of a task that has variants, such as count=3 of simworld/Stack-v0; may be repeated.",
    ),
]
VisionModel = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="A file that `simworld train-vision` wrote, or the name of a model that ships."
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that work on it; the result is the same.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


def say_redrawn(counts: Mapping[str, int], samples: str) -> None:
    """Say which draws were made again, if any."""
    if counts:
        parts = ", ".join(f"{address} in {count}" for address, count in counts.items())
        say(f"drawn again, as what was drawn first could not be: {parts} of the new {samples}")


def say_images(report: "ImageReport") -> None:
    """Say what a dataset of images holds."""
    total = sum(report.annotations.values())
    say(
        f"{report.images} images of {report.groups} different scenes with {total} annotations in {report.folder} "
        f"({report.made} new), seed {report.seed}"
    )
    if total:
        say(", ".join(f"{name} {count}" for name, count in report.annotations.items() if count))
    say_redrawn(report.redrawn, "images")


def searching(count: int, budget: int | None) -> AbstractContextManager[Callable[[Any], None]]:
    """What shows a search for quotas."""
    from simworld.agents.curation.balance import most_candidates

    return quota_progress(most_candidates(count, budget))


def asked_randomization(base: str | Mapping[str, Any], changes: list[str]) -> str | list[Any]:
    """What `--randomization` and `--randomize` ask for."""
    from simworld.randomization.files import asked_randomization

    return asked_randomization(base, changes)


def env_options(robot: str | None, control: str | None, variant: Sequence[str] = ()) -> dict[str, Any]:
    """The options of an environment that were given."""
    asked = {name: value for name, value in (("robot", robot), ("control", control)) if value is not None}
    return asked | dict(map(_option, variant))


def _option(text: str) -> tuple[str, Any]:
    """An option and its value from "OPTION=VALUE", where a value that is a whole number is one."""
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise ConfigurationError(f"--variant: must be OPTION=VALUE, such as count=3, got {text!r}")
    return name, int(value) if value.isdecimal() else value


def parse_size(text: str, option: str = "--size") -> tuple[int, int]:
    """Width and height from "WIDTHxHEIGHT"."""
    width, separator, height = text.partition("x")
    if not (separator and width.isdecimal() and height.isdecimal()):
        raise ConfigurationError(f"{option}: must be WIDTHxHEIGHT in pixels, such as 320x240, got {text!r}")
    size = int(width), int(height)
    if not all(1 <= side <= 8192 for side in size):
        raise ConfigurationError(f"{option}: width and height must be from 1 to 8192, got {text!r}")
    return size


def refuse(where: str, **options: object) -> None:
    """Refuse options that were given where they do nothing."""
    for name, value in options.items():
        if value is not None:
            raise ConfigurationError(f"--{name.replace('_', '-')} does nothing {where}; leave it out")
