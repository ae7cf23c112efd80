"""`simworld robot import`: make a URDF or SDF lean, guess what it does not say, and write it all in one folder."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from simworld.assets.index import check_name
from simworld.assets.robot import RobotModel
from simworld.assets.robot_file import read_robot
from simworld.assets.robot_import.colliders import Collider, colliders
from simworld.assets.robot_import.found_gripper import Grip, arm_of, grip_of
from simworld.assets.robot_import.frames import ArmFrames
from simworld.assets.robot_import.joining import Mounted, with_gripper
from simworld.assets.robot_import.link_masses import Link
from simworld.assets.robot_import.links import Reader
from simworld.assets.robot_import.merging import merge
from simworld.assets.robot_import.meshes import MeshFiles
from simworld.assets.robot_import.posture import Posture, posture
from simworld.assets.robot_import.robot_folder import MESHES, file_name, write_urdf, write_visual
from simworld.assets.robot_import.sdf import read_description
from simworld.assets.robot_import.telling import Done, of_guesses, of_links
from simworld.assets.robot_import.weights import check_sizes, grip_forces, limited, sound_inertias, weighed
from simworld.assets.robot_import.written_yaml import Described, description
from simworld.assets.urdf import Joint, Mimic, urdf_tree
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Vec3
from simworld.writing import reporting


@dataclass(frozen=True)
class RobotImportOptions:
    """What is not to be guessed: joints and links by name, metres and rad; `mimic` is {joint: (other, factor)}.

    Joints called in `fix` are held where they are at 0. `tip` is how far behind the fingertips things are held.
    `gripper` is one of a file of its own. `limits` are those of joints that the file has no, or wrong ones of.
    """

    arm: tuple[str, ...] = ()
    driver: str | None = None
    fingers: tuple[str, str] | None = None
    fix: tuple[str, ...] = ()
    mimic: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    tip: float = 0.007
    base: Vec3 | None = None
    rest: tuple[float, ...] | None = None
    packages: Mapping[str, Path] = field(default_factory=dict)
    gripper: Mounted | None = None
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Imported(NamedTuple):
    """The robot as it was written, and all that was done."""

    model: RobotModel
    done: tuple[Done, ...]


class _Plan(NamedTuple):
    """All that is to be written."""

    source: str
    links: Mapping[str, Link]
    arm: tuple[Joint, ...]
    grip: Grip
    posture: Posture
    colliders: Mapping[str, Sequence[Collider]]
    done: list[Done]


def import_robot(description: Path, folder: Path, options: RobotImportOptions = RobotImportOptions()) -> Imported:
    """Make a robot of a URDF or SDF, called as `folder`, which must not exist.

    What is wrong raises ConfigurationError first.
    """
    try:
        name = check_name(folder.name)
    except ValueError as error:
        raise ConfigurationError(f"a robot's name {error}, got {folder.name!r}") from None
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already: choose another --name")
    plan = _plan(description, options)
    # Hidden from those who look for robots until it is whole.
    partial = folder.with_name(f".tmp-{name}") / name
    with reporting(folder):
        shutil.rmtree(partial.parent, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            _write(plan, partial)
            _check(partial / f"{name}.yaml", description.name)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial.parent, ignore_errors=True)
    return Imported(read_robot(folder / f"{name}.yaml"), tuple(plan.done))


def _check(path: Path, source: str) -> None:
    """Raise ConfigurationError, in which nothing is called as what is soon gone, where no robot was made."""
    try:
        read_robot(path)
    except ConfigurationError as error:
        line = str(error).removeprefix(f"{path}: ").replace(str(path.parent), path.stem)
        raise ConfigurationError(f"{source}: {line}") from None


def _plan(description: Path, options: RobotImportOptions) -> _Plan:
    document = read_description(description)
    if options.gripper:
        document = with_gripper(document, description.name, options.gripper, options.packages)
    tree, files = urdf_tree(document, description.name), MeshFiles(description, options.packages)
    sound, moments = sound_inertias(Reader(files, description.name).links(document))
    merged = merge(tree, sound, options.fix)
    check_sizes(merged.links.values())
    joints = _led(merged.joints, options)
    arm = arm_of(joints, options.arm)
    grip, forced = limited(grip_of(joints, merged.links, arm, options.driver, options.fingers, options.tip))
    links, weights = weighed(merged.links, joints, arm)
    arm = tuple(joint for joint in grip.joints if joint.name in {own.name for own in arm})
    if options.rest and len(options.rest) != len(arm):
        raise ConfigurationError(f"--rest: the arm has {len(arm)} joints, got {len(options.rest)}")
    stance = posture(ArmFrames(arm, grip.tool), options.base, options.rest)
    if stance is None:
        raise ConfigurationError(
            "no posture was found that brings the fingers down over the table: say --rest, or --base"
        )
    grip = grip.turned() if stance.turned else grip
    touching = colliders(links, grip)
    done = [Done("merged", link, f"into {where}") for link, (where, _) in merged.into.items()]
    done += [Done("read", name, note) for name, notes in files.notes.items() for note in notes]
    done += [*moments, *weights, *of_links(links, touching), *forced, *of_guesses(arm, grip, stance)]
    return _Plan(description.name, links, arm, grip, stance, touching, done)


def _led(joints: Sequence[Joint], options: RobotImportOptions) -> tuple[Joint, ...]:
    """The joints with the limits and mimics that were asked for; mimics of what is held are wrong."""
    names = [joint.name for joint in joints]
    asked = [(f"--limit {name}", name) for name in options.limits]
    for name, (leader, _) in options.mimic.items():
        asked += [(f"--mimic {name}={leader}", own) for own in (name, leader)]
    for option, own in asked:
        if own not in names:
            raise ConfigurationError(f"{option}: there is no moving joint {own!r}{nearest(own, names)}")
    made = []
    for joint in joints:
        lower, upper = options.limits.get(joint.name, (joint.lower, joint.upper))
        if not lower < upper:
            if joint.name in options.limits:
                raise ConfigurationError(f"--limit {joint.name}: must have lower < upper, got {lower} and {upper}")
            fix = f"say --limit {joint.name}=LOWER,UPPER, or --fix it"
            raise ConfigurationError(f"joint {joint.name!r} has no limits to move between: {fix}")
        mimic = joint.mimic
        if joint.name in options.mimic:
            leader, factor = options.mimic[joint.name]
            mimic = Mimic(joint=leader, multiplier=factor)
        if mimic is not None and mimic.joint not in names:
            raise ConfigurationError(f"joint {joint.name!r} mimics {mimic.joint!r}, which is held: --fix both")
        made.append(joint.model_copy(update={"mimic": mimic, "lower": lower, "upper": upper}))
    return tuple(made)


def _write(plan: _Plan, folder: Path) -> None:
    seen = [link for link in plan.links.values() if link.visuals]
    visuals = {link.name: f"{MESHES}/{k:02d}_{file_name(link.name)}.obj" for k, link in enumerate(seen)}
    for link in seen:
        write_visual(folder / visuals[link.name], link)
    write_urdf(folder / f"{folder.name}.urdf", plan.links.values(), plan.grip.joints, plan.colliders)
    described = Described(folder.name, plan.source, plan.arm, plan.grip, plan.posture, grip_forces(plan.grip), visuals)
    (folder / f"{folder.name}.yaml").write_text(description(described), encoding="utf-8")
