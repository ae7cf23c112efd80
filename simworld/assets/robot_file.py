"""Robots in YAML files: what a person writes of one, beside its URDF, and the model that it makes."""

import itertools
import json
import math
import re
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from simworld.assets.robot import Gains, Gripper, LinkFrame, LinkVisual, RobotModel
from simworld.assets.robot_checks import check_model
from simworld.assets.roots import data_path
from simworld.assets.urdf import Joint, Mimic, Urdf, check_axes, check_limits, mesh_files, parse_urdf, urdf_tree
from simworld.documents import read_yaml
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Vec3
from simworld.plain import Color, NonNegative, Plain, Position, Positive, describe
from simworld.reading import read_bytes


class Limits(Plain):
    """Of a joint, what is not as the URDF says: rad or m, N m or N, per second."""

    lower: float | None = None
    upper: float | None = None
    force: Positive | None = None
    velocity: Positive | None = None


class GripperFile(Plain):
    """The gripper; `opening` pairs positions of the driver with metres between the fingers."""

    driver: str
    fingers: tuple[str, str]
    squeeze_axis: Vec3
    opening: Annotated[tuple[tuple[float, NonNegative], ...], Field(min_length=2)]


class WorkspaceBox(Plain):
    """Two corners, in metres in the world."""

    low: Position
    high: Position


class Visual(LinkFrame):
    """A mesh file, beside the YAML or in pybullet_data, and its sRGB colour."""

    mesh: str
    color: Color = (0.8, 0.8, 0.8)


class RobotFile(Plain):
    """A robot as it is written: see `RobotModel`, and docs/robots.md. `rest` is that of the arm and the driver."""

    urdf: str
    arm: Annotated[tuple[str, ...], Field(min_length=1)]
    gripper: GripperFile
    tool: LinkFrame
    rest: dict[str, float]
    base: Position
    workspace: WorkspaceBox
    limits: dict[str, Limits] = {}
    mounts: dict[str, LinkFrame] = {}
    gains: Gains = Gains()
    visuals: tuple[Visual, ...] = ()


_KEYS = {
    key
    for kind in (RobotFile, GripperFile, WorkspaceBox, Visual, Limits, Gains, LinkFrame)
    for key in kind.model_fields
}


def read_robot(path: Path) -> RobotModel:
    """Read a robot's YAML; one that is wrong raises ConfigurationError that names the key, the rule and the value."""
    try:
        return _model(RobotFile.model_validate(read_yaml(path, "robot")), path)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_described(error)}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _described(error: ValidationError) -> str:
    # First what is misspelt: pydantic begins with what is lacking for it.
    first = next((own for own in error.errors() if own["type"] == "extra_forbidden"), None)
    if first is None:
        return describe(error)
    key = ".".join(map(str, first["loc"]))
    return f"{key}: there is no such key{nearest(str(first['loc'][-1]), _KEYS)}"


def _model(file: RobotFile, path: Path) -> RobotModel:
    urdf = path.parent / file.urdf
    document = parse_urdf(urdf)
    tree = urdf_tree(document, urdf.name)
    check_axes(document, urdf.name)
    check_limits(tree.joints, urdf.name)
    joints = _joints(file, tree)
    gripper = _gripper(file, joints[len(file.arm) :])
    visuals = [LinkVisual(**(dict(visual) | {"mesh": _mesh(visual.mesh, path.parent)})) for visual in file.visuals]
    model = RobotModel(
        name=path.stem,
        digest=_digest(file, [urdf, *mesh_files(document, urdf), *(visual.mesh for visual in visuals)]),
        urdf=urdf,
        tree=tree.joints,
        joints=tuple(joint.name for joint in joints),
        arm_joints=len(file.arm),
        lower=tuple(joint.lower for joint in joints),
        upper=tuple(joint.upper for joint in joints),
        max_force=tuple(joint.force for joint in joints),
        max_velocity=tuple(joint.velocity for joint in joints),
        rest=_rest(file, gripper),
        tool=file.tool,
        gripper=gripper,
        workspace=(file.workspace.low, file.workspace.high),
        base=file.base,
        mounts=file.mounts,
        gains=file.gains,
        visuals=tuple(visuals),
    )
    check_model(model)
    return model


def _joints(file: RobotFile, tree: Urdf) -> list[Joint]:
    """The joints that move, with their limits: the arm's, then the gripper's in the order of the tree."""
    moving = {joint.name: joint for joint in tree.joints if joint.kind != "fixed"}
    for key, names in (("arm", file.arm), ("gripper.driver", (file.gripper.driver,)), ("limits", file.limits)):
        for name in names:
            if name not in moving:
                raise ConfigurationError(f"{key}: there is no moving joint {name!r} in the URDF{nearest(name, moving)}")
    named = [*file.arm, file.gripper.driver]
    for name in named:
        if moving[name].mimic is not None or named.count(name) > 1:
            raise ConfigurationError(f"arm and gripper.driver: must be different joints without <mimic>, got {name!r}")
    led = [name for name, joint in moving.items() if joint.mimic and joint.mimic.joint == file.gripper.driver]
    gripper = [name for name in moving if name in led or name == file.gripper.driver]
    if others := [name for name in moving if name not in {*file.arm, *gripper}]:
        raise ConfigurationError(
            f"joint {others[0]!r} is of neither arm nor gripper, and mimics no joint of the gripper: make it fixed"
        )
    return [_limited(moving[name], file.limits.get(name, Limits())) for name in [*file.arm, *gripper]]


def _limited(joint: Joint, own: Limits) -> Joint:
    """The joint with limits of its own in place of the URDF's."""
    made = joint.model_copy(update=own.model_dump(exclude_none=True))
    key = f"limits.{joint.name}"
    for name, value in (("force", made.force), ("velocity", made.velocity)):
        if value <= 0:
            raise ConfigurationError(f"{key}.{name}: must be given, as the URDF gives none above 0, got {value}")
    if not made.lower < made.upper:
        raise ConfigurationError(f"{key}: must have lower < upper, got {made.lower} and {made.upper}")
    return made


def _gripper(file: RobotFile, joints: list[Joint]) -> Gripper:
    own = file.gripper
    driver = next(joint for joint in joints if joint.name == own.driver)
    positions, openings = zip(*own.opening, strict=True)
    for key, values, both in (("positions", positions, False), ("openings", openings, True)):
        signs = {(b > a) - (b < a) for a, b in itertools.pairwise(values)}
        if signs not in ([{1}, {-1}] if both else [{1}]):
            raise ConfigurationError(f"gripper.opening: {key} must rise{' or fall' * both} throughout, got {values}")
    if positions[0] < driver.lower or positions[-1] > driver.upper:
        ends = f"{driver.lower} to {driver.upper}"
        raise ConfigurationError(f"gripper.opening: {driver.name!r} goes from {ends}, got positions {positions}")
    if abs(math.hypot(*own.squeeze_axis) - 1) > 1e-6:
        raise ConfigurationError(f"gripper.squeeze_axis: must have length 1, got {own.squeeze_axis}")
    mimics = [joint.mimic or Mimic(joint=driver.name) for joint in joints]
    return Gripper(
        driver=own.driver,
        joints=tuple(joint.name for joint in joints),
        ratios=tuple(mimic.multiplier for mimic in mimics),
        offsets=tuple(mimic.offset for mimic in mimics),
        fingers=own.fingers,
        squeeze_axis=own.squeeze_axis,
        positions=positions,
        openings=openings,
        driver_velocity=driver.velocity,
    )


def _rest(file: RobotFile, gripper: Gripper) -> tuple[float, ...]:
    names = (*file.arm, gripper.driver)
    if wrong := set(file.rest) ^ set(names):
        raise ConfigurationError(f"rest: must name each of {list(names)}, and no other, got or lacks {sorted(wrong)}")
    driver = file.rest[gripper.driver]
    others = [ratio * driver + offset for ratio, offset in zip(gripper.ratios, gripper.offsets, strict=True)]
    return (*(file.rest[name] for name in file.arm), *others)


def _mesh(name: str, folder: Path) -> Path:
    places = (folder, data_path())
    for place in places:
        if (place / name).is_file():
            return place / name
    raise ConfigurationError(f"visuals: there is no mesh {name!r} in {' or '.join(map(str, places))}")


def _digest(file: RobotFile, parts: Iterable[Path]) -> str:
    """The digest of a description and of the content of the files that it names."""
    state = blake2b(json.dumps(file.model_dump(mode="json"), sort_keys=True).encode(), digest_size=16)
    for part in parts:
        content = read_bytes(part)
        for own in (content, *map(read_bytes, _materials(part, content))):
            state.update(len(own).to_bytes(8, "little"))
            state.update(own)
    return state.hexdigest()


def _materials(mesh: Path, content: bytes) -> list[Path]:
    """The files with the colours of an OBJ file."""
    if mesh.suffix.lower() != ".obj":
        return []
    # A pattern that begins with the word is 20 times as quick as one that begins with a line.
    found = re.finditer(rb"mtllib[ \t]+([^\r\n]+)", content)
    names = [match[1] for match in found if match.start() == 0 or content[match.start() - 1] == ord("\n")]
    paths = [mesh.parent / name.strip().decode("utf-8", "replace") for name in names]
    return [path for path in paths if path.is_file()]
