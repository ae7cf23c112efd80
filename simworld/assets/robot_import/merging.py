"""What does not move becomes one: fixed joints go, and what they join is one link."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simworld.assets.robot_import.link_masses import Link, pose_matrix
from simworld.assets.urdf import Joint, Urdf
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array, Quaternion, Vec3, compose

_HERE = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Merged:
    """Links and joints of which all move; `into` says of each link that went in which it is, and at which pose (7,)."""

    links: Mapping[str, Link]
    joints: tuple[Joint, ...]
    into: Mapping[str, tuple[str, Array]]


def merge(tree: Urdf, links: Mapping[str, Link], fixed: Collection[str]) -> Merged:
    """Join links across fixed joints; those of joints called in `fixed` are fixed where they are at 0."""
    names = [joint.name for joint in tree.joints]
    for name in fixed:
        if name not in names:
            raise ConfigurationError(f"--fix {name}: there is no such joint{nearest(name, names)}")
    whole: dict[str, Link] = {tree.links[0]: links[tree.links[0]]}
    place: dict[str, tuple[str, Array]] = {tree.links[0]: (tree.links[0], np.array(_HERE))}
    joints: list[Joint] = []
    for joint in tree.joints:  # parents come first
        parent, pose = place[joint.parent]
        local = compose(pose, [*joint.position, *joint.orientation])
        if joint.kind == "fixed" or joint.name in fixed:
            whole[parent] = whole[parent].joined(links[joint.child], pose_matrix(local[:3], local[3:]), parent)
            place[joint.child] = parent, local
        else:
            whole[joint.child] = links[joint.child]
            place[joint.child] = joint.child, np.array(_HERE)
            joints.append(_placed(joint, parent, local))
    renamed = _names(tree, links, place)
    return Merged(
        {renamed[name]: replace(link, name=renamed[name]) for name, link in whole.items()},
        tuple(j.model_copy(update={"parent": renamed[j.parent], "child": renamed[j.child]}) for j in joints),
        {name: (renamed[where], pose) for name, (where, pose) in place.items() if name != renamed[where]},
    )


def _names(tree: Urdf, links: Mapping[str, Link], place: Mapping[str, tuple[str, Array]]) -> dict[str, str]:
    """A link that was a mere frame is called as the first that went into it and is more."""
    renamed = {}
    for name in {where for where, _ in place.values()}:
        own = [link for link in tree.links if place[link][0] == name]
        renamed[name] = next((link for link in own if not links[link].empty), name)
    return renamed


def _placed(joint: Joint, parent: str, local: Array) -> Joint:
    x, y, z, *orientation = local.tolist()
    position: Vec3 = (x, y, z)
    turned: Quaternion = (orientation[0], orientation[1], orientation[2], orientation[3])
    return joint.model_copy(update={"parent": parent, "position": position, "orientation": turned})
