"""A gripper that comes by itself, on an arm that comes without one: both descriptions as one."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from simworld.assets.robot_import.meshes import MeshFiles
from simworld.assets.robot_import.sdf import read_description
from simworld.assets.urdf import Joint, urdf_tree
from simworld.errors import ConfigurationError, nearest

_PREFIX, _MOUNT = "gripper_", "gripper_mount"
"""What a name of the gripper begins with where the arm has the same; and the joint that joins both."""
_NAMES = (
    ("link", "name", "link"),
    ("joint", "name", "joint"),
    ("joint/parent", "link", "link"),
    ("joint/child", "link", "link"),
    ("joint/mimic", "joint", "joint"),
)
"""Where a description names links and joints."""


class Mounted(NamedTuple):
    """A gripper in a file of its own: its base is at `place` (x, y, z, roll, pitch, yaw; m, rad) on a link of the arm.

    Where no `flange` is named, it is the link at the arm's end.
    """

    path: Path
    flange: str | None = None
    place: tuple[float, ...] = (0.0,) * 6


def with_gripper(arm: Element, source: str, gripper: Mounted, packages: Mapping[str, Path]) -> Element:
    """The document of an arm, called `source` in messages, and that of a gripper as one."""
    tree, own = urdf_tree(arm, source), deepcopy(read_description(gripper.path))
    flange = gripper.flange or _end(tree.joints)
    if flange not in tree.links:
        raise ConfigurationError(f"--flange {flange}: there is no such link{nearest(flange, tree.links)}")
    _rename(own, {"link": {*tree.links}, "joint": {joint.name for joint in tree.joints}})
    files = MeshFiles(gripper.path, packages)
    for mesh in own.iter("mesh"):
        mesh.set("filename", str(files.find(mesh.get("filename", ""))))
    whole = deepcopy(arm)
    whole.extend(own)
    mount = SubElement(whole, "joint", name=_MOUNT, type="fixed")
    SubElement(mount, "parent", link=flange)
    SubElement(mount, "child", link=urdf_tree(own, gripper.path.name).links[0])
    words = [repr(float(value)) for value in gripper.place]
    SubElement(mount, "origin", xyz=" ".join(words[:3]), rpy=" ".join(words[3:]))
    return whole


def _end(joints: tuple[Joint, ...]) -> str:
    """The one link that carries nothing and is moved by the most joints."""
    moved = {joints[0].parent: 0} if joints else {}
    for joint in joints:
        moved[joint.child] = moved[joint.parent] + (joint.kind != "fixed")
    parents = {joint.parent for joint in joints}
    ends = {link: count for link, count in moved.items() if link not in parents}
    last = [link for link, count in ends.items() if count == max(ends.values())]
    if len(last) != 1:
        raise ConfigurationError(f"the arm has {len(last)} ends, {last}: name that of the gripper by --flange")
    return last[0]


def _rename(document: Element, taken: Mapping[str, set[str]]) -> None:
    """Let links, joints and materials of a document have names that nothing else has."""
    for path, key, kind in _NAMES:
        for element in document.findall(path):
            if element.get(key) in taken[kind]:
                element.set(key, _PREFIX + element.get(key, ""))
    for material in document.iter("material"):
        if material.get("name"):
            material.set("name", _PREFIX + material.get("name", ""))
