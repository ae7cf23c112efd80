"""The files of an imported robot: a lean URDF, meshes, and the YAML that people read and change."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from simworld.assets.importing.object_writing import pieces_obj, visual_obj
from simworld.assets.robot_import.colliders import Collider, ColliderBox
from simworld.assets.robot_import.link_masses import Link, joined
from simworld.assets.urdf import Joint
from simworld.geometry import Array, euler_from_matrix, matrix_to_quat, quat_to_matrix

_DECIMALS = 9
"""Of metres and radians that say where something is."""
MESHES = "meshes"
"""The folder of its meshes."""


def write_urdf(
    path: Path, links: Iterable[Link], joints: Iterable[Joint], colliders: Mapping[str, Sequence[Collider]]
) -> None:
    """Write a URDF with what moves, weighs and collides alone; hulls are OBJ files beside it."""
    lines = ['<?xml version="1.0"?>', f"<robot name={quoteattr(path.stem)}>"]
    for link in links:
        lines += [f"  <link name={quoteattr(link.name)}>", *_inertial(link)]
        for k, collider in enumerate(colliders.get(link.name, ())):
            lines += _collision(collider, path.parent, f"{MESHES}/{file_name(link.name)}_hull{k}.obj")
        lines.append("  </link>")
    for joint in joints:
        lines += _joint(joint)
    path.write_text("\n".join([*lines, "</robot>", ""]), encoding="utf-8")


def _inertial(link: Link) -> list[str]:
    inertia = link.inertia
    named = zip(("xx", "xy", "xz", "yy", "yz", "zz"), inertia.tensor[np.triu_indices(3)].tolist(), strict=True)
    tensor = " ".join(f'i{axes}="{number(value)}"' for axes, value in named)
    origin = f'<origin xyz="{_texts(inertia.center)}"/>'
    return [f'    <inertial>{origin}<mass value="{number(inertia.mass)}"/><inertia {tensor}/></inertial>']


def _collision(collider: Collider, folder: Path, name: str) -> list[str]:
    if isinstance(collider, ColliderBox):
        geometry, origin = f'<box size="{_texts(collider.size)}"/>', _origin(collider.pose)
    else:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(pieces_obj([(collider.vertices, collider.triangles)]))
        geometry, origin = f"<mesh filename={quoteattr(name)}/>", _origin(np.eye(4))
    return [f"    <collision>{origin}<geometry>{geometry}</geometry></collision>"]


def _joint(joint: Joint) -> list[str]:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = quat_to_matrix(joint.orientation), joint.position
    limit = f'lower="{number(joint.lower)}" upper="{number(joint.upper)}"'
    limit += f' effort="{number(joint.force)}" velocity="{number(joint.velocity)}"'
    made = [
        f'  <joint name={quoteattr(joint.name)} type="{joint.kind}">',
        f"    <parent link={quoteattr(joint.parent)}/><child link={quoteattr(joint.child)}/>{_origin(pose)}",
        f'    <axis xyz="{_texts(joint.axis)}"/><limit {limit}/>',
    ]
    if joint.mimic is not None:
        factor = f'multiplier="{number(joint.mimic.multiplier)}" offset="{number(joint.mimic.offset)}"'
        made.append(f"    <mimic joint={quoteattr(joint.mimic.joint)} {factor}/>")
    return [*made, "  </joint>"]


def _origin(pose: Array) -> str:
    position, turn = (np.round(values, _DECIMALS) for values in (pose[:3, 3], euler_from_matrix(pose[:3, :3])))
    return f'<origin xyz="{_texts(position)}" rpy="{_texts(turn)}"/>'


def write_visual(path: Path, link: Link) -> None:
    """Write what is seen of a link as an OBJ file, with its colours beside it."""
    piece = joined(link.visuals)
    assert piece is not None
    text, materials = visual_obj(*piece, path.with_suffix(".mtl").name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.with_suffix(".mtl").write_bytes(materials)


def quaternion_text(turn: Array) -> str:
    """A rotation matrix as a quaternion in YAML."""
    return flow(matrix_to_quat(turn))


def flow(values: Iterable[float | str]) -> str:
    """A list in one line of YAML."""
    return f"[{', '.join(word(value) if isinstance(value, str) else number(value) for value in values)}]"


def word(name: str) -> str:
    """A name in YAML, in quotes where it could be taken for something else."""
    return name if re.fullmatch(r"[A-Za-z]\w*_\w*|[A-Za-z]+\w*\d", name, re.ASCII) else json.dumps(name)


def file_name(name: str) -> str:
    """A link's name as it may be in that of a file."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


def _texts(values: Iterable[float]) -> str:
    return " ".join(number(value) for value in values)


def number(value: float) -> str:
    """A number as it is written in both files."""
    return repr(float(f"{float(value):.9g}") + 0.0)
