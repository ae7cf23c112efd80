"""What links weigh and joints can do where a URDF does not say so, or says what cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simworld.assets.importing.mesh_reading import needed
from simworld.assets.robot_import.found_gripper import Grip
from simworld.assets.robot_import.link_masses import Inertia, Link, LinkPiece, joined
from simworld.assets.robot_import.telling import Done
from simworld.assets.urdf import Joint
from simworld.errors import ConfigurationError

GRIP = 10.0
"""Newtons with which each finger squeezes: they hold what is light, and hardly sink into it."""
_TURNING, _SLIDING = (50.0, 2.0), (100.0, 0.2)
"""Force and velocity of joints whose URDF says none: N m and rad/s, N and m/s."""
_DENSITY = 1000.0
"""Of links whose URDF says no mass, in kg/m^3."""
_LEAST_MASS = 1e-3
_SLIDES, _TURNS = 0.1, 1e-3
"""What moves in a gripper: kilogrammes that it weighs at least, and kg m^2 that are added where it turns."""
_LARGEST = 5.0
"""Metres that a link may measure: what is larger is in millimetres."""


def sound_inertias(links: Mapping[str, Link]) -> tuple[dict[str, Link], list[Done]]:
    """The links, of which none with a mass and a shape has an inertia that cannot be, and what was done about it."""
    found, done = dict(links), []
    for name, link in links.items():
        if link.inertia.mass > 0 and (link.visuals or link.collisions):
            found[name], how = _possible(link)
            done += [Done("weighed", name, how)] if how else []
    return found, done


def weighed(
    links: Mapping[str, Link], joints: Sequence[Joint], arm: Sequence[Joint]
) -> tuple[dict[str, Link], list[Done]]:
    """The links, of which all that move have masses and inertias that can be, and what was done about it."""
    found, done = dict(links), []
    for joint in joints:
        link, how = _possible(found[joint.child])
        done += [Done("weighed", link.name, how)] if how else []
        if joint not in arm:
            link, how = _steadied(link, joint)
            done.append(Done("weighed", link.name, how))
        found[link.name] = link
    return found, done


def check_sizes(links: Iterable[Link]) -> None:
    """Refuse meshes that are far too large."""
    pieces = [(link.name, piece) for link in links for piece in (*link.visuals, *link.collisions)]
    for name, piece in pieces:
        if (size := float(np.ptp(piece.vertices, axis=0).max())) > _LARGEST:
            raise ConfigurationError(
                f"link {name!r} has a mesh {size:.3g} m long: is it in millimetres? then its <mesh> needs "
                'scale="0.001 0.001 0.001"'
            )


def _possible(link: Link) -> tuple[Link, str]:
    inertia, piece = link.inertia, joined(link.visuals or link.collisions)
    if inertia.mass > 0 and _can_be(inertia, piece):
        return link, ""
    if piece is None:
        raise ConfigurationError(f"link {link.name!r} moves, but has no mass and no shape")
    hull: Any = needed("trimesh.convex").convex_hull(piece.vertices)
    mass = inertia.mass or max(hull.volume * _DENSITY, _LEAST_MASS)
    hull.density = mass / hull.volume
    how = "no such inertia can be: that of its hull" if inertia.mass else f"no mass: {mass:.3g} kg, as water"
    return replace(link, inertia=Inertia(mass, np.array(hull.center_mass), np.array(hull.moment_inertia))), how


def _can_be(inertia: Inertia, piece: LinkPiece | None) -> bool:
    """Whether masses above 0 within a shape can have such an inertia, which all of them at its far end would have."""
    moments = np.linalg.eigvalsh(inertia.tensor)
    if not (moments[0] > 0 and moments[0] + moments[1] >= moments[2] * (1 - 1e-6)):
        return False
    if piece is None:
        return True
    far = np.linalg.norm(piece.vertices - inertia.center, axis=1).max()
    return bool(moments.sum() / 2 <= inertia.mass * far**2)


def _steadied(link: Link, joint: Joint) -> tuple[Link, str]:
    """A link of the gripper with what a drive's gears add to it: without, contacts throw it about."""
    inertia = link.inertia
    if joint.kind == "prismatic":
        times = max(_SLIDES / inertia.mass, 1.0)
        made, how = Inertia(times * inertia.mass, inertia.center, times * inertia.tensor), f"at least {_SLIDES} kg"
    else:
        made = replace(inertia, tensor=inertia.tensor + _TURNS * np.eye(3))
        how = f"{_TURNS:g} kg m^2 more"
    return replace(link, inertia=made), f"{how}, as of a drive's gears: for a steady grasp"


def limited(grip: Grip) -> tuple[Grip, list[Done]]:
    """The joints with forces and velocities above 0, and what was done about it."""
    made, done = [], []
    for joint in grip.joints:
        usual = _SLIDING if joint.kind == "prismatic" else _TURNING
        for name, value in zip(("force", "velocity"), usual, strict=True):
            if getattr(joint, name) <= 0:
                joint = joint.model_copy(update={name: value})
                done.append(Done("guessed", joint.name, f"{name} {value:g}"))
        made.append(joint)
    driver = next(joint for joint in made if joint.name == grip.driver.name)
    return replace(grip, joints=tuple(made), driver=driver), done


def grip_forces(grip: Grip) -> dict[str, float]:
    """Of each joint of the gripper, the N m or N with which both fingers squeeze by GRIP: all joints work together."""
    (first, open_), *_, (last, closed) = grip.opening
    work = GRIP * abs((closed - open_) / (last - first))
    ratios = {grip.driver.name: 1.0}
    ratios |= {joint.name: abs(joint.mimic.multiplier) for joint in grip.joints if joint.mimic}
    return {joint.name: float(f"{work / sum(ratios.values()):.3g}") for joint in grip.joints if joint.name in ratios}
