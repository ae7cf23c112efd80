"""What a URDF says of how a robot moves: its links, and the joints between them with axes, limits and mimics."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from simworld.assets.urdf_elements import attribute, child, number, numbers, origin_of
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import IDENTITY, Quaternion, Vec3
from simworld.plain import Plain
from simworld.reading import read_bytes

Kind = Literal["fixed", "revolute", "continuous", "prismatic"]
KINDS: tuple[Kind, ...] = ("fixed", "revolute", "continuous", "prismatic")
_FORWARD: Vec3 = (1.0, 0.0, 0.0)
"""A joint's axis where none is said, as the URDF specification has it."""
_TURN = 2 * math.pi
"""How far a joint without limits may turn, either way."""


class Mimic(Plain):
    """Where a joint goes with another one: at `multiplier` times its position, plus `offset`."""

    joint: str
    multiplier: float = 1.0
    offset: float = 0.0


class Joint(Plain):
    """A joint: its frame, which is the child link's at position 0, in the parent's; and its axis (unit) in that frame.

    Limits are in rad or m; `force` (N or N m) and `velocity` (per second) are the most it can do, 0 where not said.
    """

    name: str
    kind: Kind
    parent: str
    child: str
    position: Vec3 = (0.0, 0.0, 0.0)
    orientation: Quaternion = IDENTITY
    axis: Vec3 = _FORWARD
    lower: float = 0.0
    upper: float = 0.0
    force: float = 0.0
    velocity: float = 0.0
    mimic: Mimic | None = None


class Urdf(NamedTuple):
    """The links, the base first, and the joints, of which number k moves link k + 1: both in Bullet's order."""

    links: tuple[str, ...]
    joints: tuple[Joint, ...]


def span(chain: Sequence[Joint], limits: Mapping[str, tuple[float, float]]) -> float:
    """Metres from the first joint's parent beyond which the last link of a chain never gets, with limits by name."""
    slides = [max(map(abs, limits[joint.name])) for joint in chain if joint.kind == "prismatic"]
    return sum(slides) + sum(math.hypot(*joint.position) for joint in chain)


def parse_urdf(path: Path) -> Element:
    """The document of a URDF."""
    root = parse_xml(path, "URDF")
    if root.tag != "robot":
        raise ConfigurationError(f"{path} is no URDF: it must begin with <robot>, got <{root.tag}>")
    return root


def parse_xml(path: Path, kind: str) -> Element:
    """The root of a document in XML; `kind` is what it should be."""
    try:
        return ElementTree.fromstring(read_bytes(path))
    except OSError as error:
        raise ConfigurationError(f"cannot read the {kind} {path}: {error.strerror or error}") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigurationError(f"{path} is no {kind}: {error}") from None


def urdf_tree(root: Element, source: str) -> Urdf:
    """The links and joints of a document; `source` begins the messages."""
    links = [attribute(link, "name", source) for link in root.findall("link")]
    if not links:
        raise ConfigurationError(f"{source}: has no <link>")
    joints = [_joint(element, source) for element in root.findall("joint")]
    for kind, names in (("link", links), ("joint", [joint.name for joint in joints])):
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ConfigurationError(f"{source}: there are two {kind}s called {twice[0]!r}")
    _check_mimics({joint.name: joint for joint in joints}, source)
    ordered = _ordered(links, joints, source)
    return Urdf((ordered[0].parent if ordered else links[0], *(joint.child for joint in ordered)), tuple(ordered))


def mesh_files(root: Element, path: Path) -> list[Path]:
    """The meshes that a URDF at `path` names, which must be beside it as the physics reads them."""
    names = [attribute(mesh, "filename", path.name) for mesh in root.iter("mesh")]
    for name in names:
        if not (path.parent / name).is_file() or Path(name).suffix.lower() not in (".obj", ".stl"):
            raise ConfigurationError(
                f"{path.name}: mesh {name!r} must be an OBJ or STL file beside it, as `simworld robot import` writes"
            )
    return [path.parent / name for name in names]


def check_axes(root: Element, source: str) -> None:
    """Refuse axes that are not of length 1: Bullet moves a joint that slides by their length."""
    for joint in root.findall("joint"):
        axis = numbers(joint.find("axis"), "xyz", _FORWARD, source)
        if joint.get("type") == "prismatic" and abs(math.hypot(*axis) - 1) > 1e-3:
            raise ConfigurationError(f"{source}: joint {joint.get('name')!r}: an axis must have length 1, got {axis}")


def _check_mimics(joints: Mapping[str, Joint], source: str) -> None:
    for joint in joints.values():
        if joint.mimic is None:
            continue
        if joint.mimic.joint not in joints:
            near = nearest(joint.mimic.joint, joints)
            raise ConfigurationError(
                f"{source}: joint {joint.name!r} mimics {joint.mimic.joint!r}, which there is not{near}"
            )
        if joints[joint.mimic.joint].mimic is not None or joints[joint.mimic.joint].kind == "fixed":
            raise ConfigurationError(
                f"{source}: joint {joint.name!r} must mimic one that moves by itself, got {joint.mimic.joint!r}"
            )


def _ordered(links: list[str], joints: list[Joint], source: str) -> list[Joint]:
    """The joints as Bullet numbers them: depth first from the base, those of a link as they stand in the file."""
    parents: dict[str, Joint] = {}
    children: dict[str, list[Joint]] = {link: [] for link in links}
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in children:
                raise ConfigurationError(
                    f"{source}: joint {joint.name!r} joins {link!r}, which is no link{nearest(link, links)}"
                )
        if joint.child in parents:
            first = parents[joint.child].name
            raise ConfigurationError(
                f"{source}: joints {first!r} and {joint.name!r} both carry link {joint.child!r}: "
                "a closed loop; leave one of them out, and let its motion be a <mimic>"
            )
        parents[joint.child] = joint
        children[joint.parent].append(joint)
    bases = [link for link in links if link not in parents]
    if len(bases) != 1:
        what = f"{bases} are carried by no joint" if bases else f"joints go round in a closed loop: {sorted(parents)}"
        raise ConfigurationError(f"{source}: one link must be the base of all others; {what}")
    found = list(_below(bases[0], children))
    if len(found) < len(joints):
        lost = sorted({joint.child for joint in joints} - {joint.child for joint in found})
        raise ConfigurationError(f"{source}: links {lost} hang on each other in a closed loop, not on the base")
    return found


def _below(base: str, children: Mapping[str, list[Joint]]) -> Iterator[Joint]:
    waiting = children[base][::-1]
    while waiting:
        joint = waiting.pop()
        yield joint
        waiting.extend(children[joint.child][::-1])


def check_limits(joints: Iterable[Joint], source: str) -> None:
    """Raise ConfigurationError where a joint cannot move between its limits."""
    for joint in joints:
        if joint.kind in ("revolute", "prismatic") and not joint.lower < joint.upper:
            here = f"{source}: joint {joint.name!r}"
            raise ConfigurationError(f"{here}: limits must have lower < upper, got {joint.lower} and {joint.upper}")


def _joint(element: Element, source: str) -> Joint:
    name = attribute(element, "name", source)
    here = f"{source}: joint {name!r}"
    kind = attribute(element, "type", here)
    if kind not in KINDS:
        raise ConfigurationError(f"{here}: a type must be one of {list(KINDS)}, got {kind!r}")
    position, orientation = origin_of(element, here)
    axis = numbers(element.find("axis"), "xyz", _FORWARD, here)
    length = math.hypot(*axis)
    if kind != "fixed" and length == 0:
        raise ConfigurationError(f"{here}: an axis must not be 0 0 0")
    limit, mimic = element.find("limit"), element.find("mimic")
    far = _TURN if kind == "continuous" else 0.0
    lower, upper = number(limit, "lower", -far, here), number(limit, "upper", far, here)
    if kind == "continuous" and not lower < upper:  # of which limits say nothing
        lower, upper = -far, far
    return Joint(
        name=name,
        kind=kind,
        parent=attribute(child(element, "parent", here), "link", here),
        child=attribute(child(element, "child", here), "link", here),
        position=position,
        orientation=orientation,
        axis=(axis[0] / length, axis[1] / length, axis[2] / length) if length else axis,
        lower=lower,
        upper=upper,
        force=number(limit, "effort", 0.0, here),
        velocity=number(limit, "velocity", 0.0, here),
        mimic=None if mimic is None else _mimic(mimic, here),
    )


def _mimic(element: Element, here: str) -> Mimic:
    multiplier, offset = number(element, "multiplier", 1.0, here), number(element, "offset", 0.0, here)
    if multiplier == 0:
        raise ConfigurationError(f"{here}: the multiplier of a mimic must not be 0")
    return Mimic(joint=attribute(element, "joint", here), multiplier=multiplier, offset=offset)
