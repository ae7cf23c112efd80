"""`simworld robot`: the robots that there are, and how one of a user's own is imported."""

from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError
from simworld.experiments.cli.arguments import Json
from simworld.experiments.cli.console import print_json, say, table, warn

commands = typer.Typer()
robots = typer.Typer()
commands.add_typer(robots, name="robot")

_ON_IT = "0,0,0,0,0,0"
"""Where a gripper is on its flange, unless it is said."""


@robots.callback(invoke_without_command=True)
def listed(context: typer.Context, as_json: Json = False) -> None:
    """List the robots, those that ship and those that were imported; `import` imports one."""
    if context.invoked_subcommand:
        return
    from simworld.assets.robot_search import find_robot, robot_names

    models, broken = [], []
    for name in robot_names():
        try:
            models.append(find_robot(name))
        except ConfigurationError as error:
            broken.append(str(error))
    for line in broken:
        warn(f"broken: {line}")
    if as_json:
        print_json([model.model_dump(mode="json") for model in models])
        return
    rows = [
        [m.name, str(m.arm_joints), " and ".join(m.gripper.fingers), f"{1000 * m.gripper.most:.0f}", m.digest]
        for m in models
    ]
    table("Robots", ["name", "joints", "fingers", "opening (mm)", "digest"], rows)


@robots.command(name="import")
def import_description(
    description: Annotated[Path, typer.Argument(metavar="URDF|SDF", help="A robot arm with two fingers.")],
    fix: Annotated[
        list[str], typer.Option(default_factory=list, show_default=False, help="A joint that is held; may be repeated.")
    ],
    mimic: Annotated[
        list[str],
        typer.Option(
            default_factory=list,
            show_default=False,
            help="JOINT=OTHER or JOINT=OTHER*FACTOR: goes with it; may be repeated.",
        ),
    ],
    limit: Annotated[
        list[str],
        typer.Option(default_factory=list, show_default=False, help="JOINT=LOWER,UPPER in rad or m; may be repeated."),
    ],
    package: Annotated[
        list[str],
        typer.Option(default_factory=list, show_default=False, help="NAME=FOLDER of a ROS package; may be repeated."),
    ],
    name: Annotated[str, typer.Option(show_default="the file's name", help="What the robot is called.")] = "",
    gripper: Annotated[
        Path | None, typer.Option(show_default=False, help="URDF or SDF of a gripper, for an arm without one.")
    ] = None,
    flange: Annotated[
        str | None, typer.Option(show_default="the arm's end", help="The link of the arm that has the --gripper.")
    ] = None,
    gripper_at: Annotated[
        str, typer.Option(help="Where on the flange its base is: x,y,z,roll,pitch,yaw in m and rad.")
    ] = _ON_IT,
    arm: Annotated[str, typer.Option(show_default="guessed", help="The arm's joints, joined by commas.")] = "",
    driver: Annotated[
        str | None, typer.Option(show_default="guessed", help="The gripper's joint that the others go with.")
    ] = None,
    fingers: Annotated[str, typer.Option(show_default="guessed", help="The two links that hold, with a comma.")] = "",
    tip: Annotated[float, typer.Option(help="Metres behind the fingertips at which things are held.")] = 0.007,
    base: Annotated[str, typer.Option(show_default="guessed", help="Where it stands: x,y,z in metres.")] = "",
    rest: Annotated[str, typer.Option(show_default="guessed", help="Positions of the arm's joints at rest.")] = "",
    as_json: Json = False,
) -> None:
    """Make a robot of a URDF or SDF: lean, with what it does not say guessed, in the folder of your own assets."""
    from simworld.assets.robot_import.importing import RobotImportOptions, import_robot
    from simworld.assets.robot_import.joining import Mounted
    from simworld.assets.robot_search import FOLDER, robot_names
    from simworld.assets.roots import user_path
    from simworld.physics.holding import can_hold

    for option, value, usual in (("--flange", flange, None), ("--gripper-at", gripper_at, _ON_IT)):
        if value != usual and not gripper:
            raise ConfigurationError(f"{option} {value}: says where a --gripper is, and there is none")
    name = name or description.stem
    if name in robot_names():
        raise ConfigurationError(f"there is a robot {name!r} already: choose another --name")
    place = _place("--gripper-at", gripper_at, "x,y,z,roll,pitch,yaw")
    options = RobotImportOptions(
        arm=tuple(_words(arm)),
        driver=driver,
        fingers=_pair(fingers),
        fix=tuple(fix),
        mimic=dict(map(_mimic, mimic)),
        limits={joint: _place("--limit", ends, "LOWER,UPPER") for joint, ends in (_split("--limit", x) for x in limit)},
        tip=tip,
        base=_place("--base", base, "x,y,z"),
        rest=tuple(_numbers("--rest", rest)) or None,
        packages={key: Path(folder) for key, folder in (_split("--package", text) for text in package)},
        gripper=Mounted(gripper, flange, place) if gripper else None,
    )
    model, done = import_robot(description, user_path() / FOLDER / name, options)
    held = can_hold(model)
    if as_json:
        print_json({"name": name, "folder": str(model.urdf.parent), "holds": held, "done": [d._asdict() for d in done]})
        return
    table(f"Robot {name}", ["", "part", "how"], [list(row) for row in done])
    say(f"{name} holds a cube in its fingers" if held else f"{name} loses a cube from its fingers: see docs/robots.md")
    say(f"wrote {model.urdf.parent}: look through {name}.yaml, and use it as robot={name!r}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _pair(text: str) -> tuple[str, str] | None:
    words = _words(text)
    if text and len(words) != 2:
        raise ConfigurationError(f"--fingers: must be two links, with a comma between them, got {text!r}")
    return (words[0], words[1]) if words else None


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(word) for word in _words(text)]
    except ValueError:
        raise ConfigurationError(f"{option}: must be numbers joined by commas, got {text!r}") from None


def _place(option: str, text: str, form: str) -> Any:
    numbers = _numbers(option, text)
    if text and len(numbers) != len(_words(form)):
        raise ConfigurationError(f"{option}: must be {form}, got {text!r}")
    return tuple(numbers) or None


def _split(option: str, text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator and value):
        raise ConfigurationError(f"{option}: must be NAME=VALUE, got {text!r}")
    return key, value


def _mimic(text: str) -> tuple[str, tuple[str, float]]:
    joint, value = _split("--mimic", text)
    other, _, factor = value.partition("*")
    numbers = _numbers("--mimic", factor) or [1.0]
    if len(numbers) > 1 or numbers[0] == 0:
        raise ConfigurationError(f"--mimic: a factor must be a number other than 0, got {text!r}")
    return joint, (other, numbers[0])
