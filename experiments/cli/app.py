"""The `simworld` command."""

# ruff: noqa: E402

from simworld.experiments.cli.start import begin, send_nowhere  # isort: skip

if __name__ == "__main__":
    begin()

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simworld.envs import ENV_IDS
from simworld.errors import ConfigurationError, SimworldError, nearest
from simworld.experiments.cli.console import (
    complain,
    print_json,
    progress,
    quota_progress,
    say,
    show_warnings_in_one_line,
    table,
)
from simworld.experiments.cli.interrupts import CODE, end_with_interrupts, ignore_interrupts

_GOES_ON = "; what was finished is intact, and the same command goes on from there"
_AFTER_INTERRUPT = {
    **dict.fromkeys(("rollout", "images", "demo"), _GOES_ON),
    "train": "; the same command goes on from the last epoch of cloning, and begins again with ppo and sac",
}

_UsageError: Any = typer.BadParameter.__mro__[1]  # typer names only this one of its subclasses


class _Commands(TyperGroup):
    """Turns what goes wrong in a command into one line and an exit code."""

    def main(self, args: Any = None, *others: Any, **options: Any) -> Any:
        arguments = sys.argv[1:] if args is None else list(args)
        try:
            code = super().main(arguments or ["--help"], *others, **options | {"standalone_mode": False})
        except (_UsageError, OSError) as error:
            code = _explain(error)
        except (KeyboardInterrupt, typer.Abort):
            code = CODE
        ignore_interrupts()
        if code == CODE:  # typer itself returns this after Ctrl-C
            complain(f"interrupted{_AFTER_INTERRUPT.get(arguments[0], '') if arguments else ''}")
        sys.exit(_flushed() or code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (SimworldError, OSError, MemoryError, EOFError) as error:  # the last would be taken for Ctrl-C by typer
            raise typer.Exit(_explain(error)) from None


def _explain(error: Exception) -> int:
    """Say in one line what went wrong; returns the exit code."""
    if isinstance(error, BrokenPipeError):  # who read the output has left
        return 1
    if isinstance(error, _UsageError):
        complain(error.format_message())
    elif isinstance(error, OSError):
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
    elif isinstance(error, MemoryError | EOFError):
        what = "there is not enough memory" if isinstance(error, MemoryError) else "a file ends too early"
        complain(f"{what}: {error}" if str(error) else what)
    else:
        complain(str(error))
    return 2


def _flushed() -> int:
    """Write out what was printed; where that fails, the exit code after one line."""
    try:
        sys.stdout.flush()
    except OSError as error:
        send_nowhere(1)  # what is still to be written at exit
        return _explain(error)
    return 0


app = typer.Typer(
    cls=_Commands,
    help="Robots that put things in a box: simulated, randomized, rendered, labelled, and learnt from.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

EnvId = Annotated[str, typer.Argument(metavar="ENV", help="An environment id, as listed by `simworld envs`.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write; a stopped run goes on where it stopped.")]
PolicyOut = Annotated[
    Path,
    typer.Option(
        "--out", help="The folder to write; stopped, cloning goes on where it stopped, and ppo or sac begins again."
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
Preset = Annotated[
    str,
    typer.Option(
        "--randomization",
        help="A preset (none, default, visual, dynamics, full, extreme), a YAML file, or several joined by +; "
        "later ones win.",
    ),
]
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
PolicyName = Annotated[
    str,
    typer.Option(
        "--policy", help="expert, random, a .safetensors file of `train`, or with --trust-pickle a .zip file."
    ),
]
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
RendererName = Annotated[
    str, typer.Option("--renderer", help="raster, tiny (PyBullet's own), or mitsuba (path traced; an extra).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


@app.command()
def envs(as_json: Json = False) -> None:
    """List the environments."""
    rows = [{"id": env_id, "task": task, "max_episode_steps": steps} for env_id, (task, steps) in ENV_IDS.items()]
    if as_json:
        print_json(rows)
    else:
        table("Environments", ["id", "task", "steps"], [list(row.values()) for row in rows])


@app.command()
def factors(
    family: Annotated[str, typer.Argument(help="One family alone: physics, geometry, appearance, ...")] = "",
    as_json: Json = False,
) -> None:
    """List the factors that randomizations name, with unit, default, range and meaning."""
    from simworld.building.factors import FAMILIES, described

    if family and family not in FAMILIES:
        raise ConfigurationError(f"no family {family!r}{nearest(family, FAMILIES)}")
    rows = [row for row in described() if family in ("", row["family"])]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        allowed = row["allowed"] if row["kind"] == "name" else f"{row['allowed'][0]} to {row['allowed'][1]}"
        say(f"{row['address']:32} {row['meaning']} [{row['unit'] or row['kind']}; {row['default']}; {allowed}]")


@app.command()
def rollout(
    env_id: EnvId,
    out: Out,
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
) -> None:
    """Write episodes of a policy, and a Minari dataset of them."""
    if not minari:
        _refuse("without --minari", minari_root=minari_root, overwrite=overwrite or None)
    if not quota:
        _refuse("without --quota", budget=budget, replays=replays)
    from simworld.experiments.recipes import check_export, export_rollouts, write_rollouts

    if minari:
        check_export(out, minari, minari_root, overwrite)
    with _searching(episodes, budget) as searched, progress("episodes", episodes) as tell:
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
            progress=tell,
            searched=searched,
        )
    say(f"{report.episodes} episodes in {out} ({report.made} new), seed {report.seed}")
    _say_redrawn(report.redrawn, "episodes")
    if minari:
        path, is_new = export_rollouts(out, minari, minari_root, overwrite)
        say(f"Minari dataset in {path}{'' if is_new else ', there already'}")


@app.command()
def train(
    env_id: EnvId,
    out: PolicyOut,
    randomize: Change,
    algorithm: Annotated[str, typer.Option(help="cloning, ppo or sac.")] = "cloning",
    demonstrations: Annotated[Path | None, typer.Option(help="cloning: a folder made by `rollout`.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, show_default="40", help="cloning: passes over the demonstrations.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, show_default="30000", help="ppo, sac: environment steps.")] = None,
    reward: Annotated[str | None, typer.Option(show_default="dense", help="ppo, sac: sparse or dense.")] = None,
    seed: Seed = 0,
    randomization: Annotated[
        str | None, typer.Option(show_default="default", help="ppo, sac: as for `rollout`.")
    ] = None,
) -> None:
    """Train a policy: clone the expert's demonstrations, or learn by reinforcement from scratch."""
    if algorithm == "cloning":
        given = {"randomization": randomization, "randomize": randomize or None}
        _refuse("with --algorithm cloning", steps=steps, reward=reward, **given)
    else:
        _refuse(f"with --algorithm {algorithm}", demonstrations=demonstrations, epochs=epochs)
    from simworld.experiments import recipes

    if algorithm == "cloning":
        epochs = epochs or 40
        if demonstrations is None:
            raise ConfigurationError("cloning needs --demonstrations: a folder made by `simworld rollout`")
        with progress("epochs", epochs) as tell:
            path = recipes.train_cloning(out, env_id, demonstrations, epochs=epochs, seed=seed, progress=tell)
    else:
        steps = steps or 30_000
        with progress("steps", steps) as tell:
            path = recipes.train_reinforcement(
                out,
                env_id,
                algorithm=algorithm,
                steps=steps,
                seed=seed,
                randomization=asked_randomization(randomization or "default", randomize),
                reward="dense" if reward is None else reward,
                progress=tell,
            )
    say(f"policy in {path}")


@app.command()
def evaluate(
    env_id: EnvId,
    randomize: Change,
    policy: PolicyName = "expert",
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 100,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The first seed.")] = 0,
    randomization: Preset = "default",
    as_json: Json = False,
) -> None:
    """Evaluate a policy on unseen seeds."""
    from simworld.experiments.recipes import evaluate_policy

    asked = asked_randomization(randomization, randomize)
    with progress("episodes", episodes) as tell:
        result = evaluate_policy(
            env_id,
            policy,
            trust_pickle=trust_pickle,
            normalization=normalization,
            episodes=episodes,
            first_seed=seed,
            randomization=asked,
            progress=tell,
        )
    if as_json:
        print_json(result)
        return
    low, high = result["interval"]
    rows: list[list[Any]] = [
        ["success", f"{result['success_rate']:.1%} (95% interval {low:.1%} to {high:.1%})"],
        ["return", f"{result['mean_return']:.2f}"],
        ["length", f"{result['mean_length']:.1f} steps"],
        *([f"failed: {kind}", count] for kind, count in result["failures"].items()),
    ]
    table(f"{policy} on {env_id}, {episodes} seeds", ["", ""], rows)


@app.command()
def images(
    env_id: EnvId,
    out: Out,
    randomize: Change,
    quota: Quota,
    camera: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            default_factory=lambda: ["front"],
            show_default="front",
            help="A camera; may be repeated, see --views.",
        ),
    ],
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
) -> None:
    """Write labelled images in COCO's format, with depth, segmentation, 3D boxes and 6D poses."""
    if not quota:
        _refuse("without --quota", budget=budget, replays=replays)
    from simworld.experiments.recipes import write_labelled_images

    with _searching(count, budget) as searched, progress("images", count) as tell:
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
            progress=tell,
            searched=searched,
        )
    total = sum(report.annotations.values())
    say(
        f"{report.images} images of {report.groups} different scenes with {total} annotations in {out} "
        f"({report.made} new), seed {report.seed}"
    )
    say(", ".join(f"{name} {count}" for name, count in report.annotations.items()))
    _say_redrawn(report.redrawn, "images")


@app.command()
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
        _refuse("without --video", camera=camera, size=size)
    from simworld.agents.policy import load_policy
    from simworld.experiments.recipes import task_of
    from simworld.experiments.watch import record, watch

    asked = asked_randomization(randomization, randomize)
    act = load_policy(policy, task_of(env_id), trust_pickle=trust_pickle, normalization=normalization)
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


@app.command()
def render(
    scene: Annotated[Path, typer.Argument(help="A scene file: JSON, as `env.unwrapped.sample.scene.to_json()`.")],
    out: Annotated[Path, typer.Option(help="The .png picture to write.")],
    camera: Annotated[str, typer.Option(help="One of the scene's cameras.")] = "front",
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "640x480",
    renderer: RendererName = "raster",
    channel: Annotated[
        str, typer.Option(help="rgb, or in colours: depth, segmentation, links, normals, nocs or amodal.")
    ] = "rgb",
) -> None:
    """Render a scene file."""
    from simworld.experiments.recipes import render_scene

    render_scene(scene, out, camera=camera, size=parse_size(size), renderer_name=renderer, channel=channel)
    say(f"{out}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check that every renderer works here, that they agree, how fast they are, and the cache."""
    from simworld.experiments.doctor import diagnose

    report = diagnose()
    if as_json:
        print_json(report)
    else:
        about = {"python": report["machine"]["python"], "cores": report["machine"]["cores"]} | report["versions"]
        say(", ".join(f"{name} {value or 'missing'}" for name, value in about.items()))
        for finding in report["findings"]:
            say(f"{finding['verdict']:4}  {finding['about']:8} {finding['text']}")
            if finding["fix"]:
                say(f"      {'':8} -> {finding['fix']}")
    if not report["ok"]:
        raise typer.Exit(1)


@app.command()
def demo(out: Out = Path("runs/demo")) -> None:
    """Run everything once: train, evaluate, write datasets and a report (under 8 minutes on two cores)."""
    from simworld.experiments.demo import run_demo

    run_demo(out)


def _say_redrawn(counts: Mapping[str, int], samples: str) -> None:
    """Say which draws were made again, if any."""
    if counts:
        parts = ", ".join(f"{address} in {count}" for address, count in counts.items())
        say(f"drawn again, as what was drawn first could not be: {parts} of the new {samples}")


def _searching(count: int, budget: int | None) -> AbstractContextManager[Callable[[Any], None]]:
    """What shows a search for quotas."""
    from simworld.agents.balance import most_candidates

    return quota_progress(most_candidates(count, budget))


def asked_randomization(base: str, changes: list[str]) -> str | list[Any]:
    """What `--randomization` and `--randomize` ask for."""
    from simworld.randomization.files import asked_randomization

    return asked_randomization(base, changes)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from "WIDTHxHEIGHT"."""
    width, separator, height = text.partition("x")
    if not (separator and width.isdecimal() and height.isdecimal()):
        raise ConfigurationError(f"--size: must be WIDTHxHEIGHT in pixels, such as 320x240, got {text!r}")
    size = int(width), int(height)
    if not all(1 <= side <= 8192 for side in size):
        raise ConfigurationError(f"--size: width and height must be from 1 to 8192, got {text!r}")
    return size


def _refuse(where: str, **options: object) -> None:
    """Refuse options that were given where they do nothing."""
    for name, value in options.items():
        if value is not None:
            raise ConfigurationError(f"--{name.replace('_', '-')} does nothing {where}; leave it out")


def main() -> None:
    """Run the command; it exits with 0, with 2 after one clear line about an error, or with 130 after Ctrl-C.

    SIGTERM is taken as Ctrl-C.
    """
    begin()
    end_with_interrupts()
    show_warnings_in_one_line()
    try:
        app(prog_name="simworld")
    except KeyboardInterrupt:  # when the command was over
        ignore_interrupts()
        complain("interrupted")
        sys.exit(CODE)


if __name__ == "__main__":
    main()
