"""How near what is drawn comes to a camera: of the scene alone, as a picture's detail must not hang on the state."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.assets.robot_search import robot_of_digest
from simworld.assets.urdf import Joint
from simworld.geometry import Array, compose, invert, quat_to_matrix
from simworld.rendering.meshes.loading import mesh_bounds
from simworld.rendering.surfaces import Surface
from simworld.scene.camera import Camera
from simworld.scene.model import Scene

_POSTURES = 512
_SWAY = 1.0
"""Radians, or metres, by which joints of the arm leave their rest."""
_BASE = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_INSIDE = 0.5
"""Share of its radius that a surface is away at the least: what of it is nearer is a small piece."""


class Postures(NamedTuple):
    """Postures of a robot on its base: `origins` (n, links, 3), `axes` (n, links, 3, 3), `tools` (n, 3)."""

    origins: Array
    axes: Array
    tools: Array


def least_distances(scene: Scene, drawn: list[Surface], camera: Camera) -> Array:
    """Metres (s,) from a camera as near as which surfaces come, but for odd postures of the robot.

    Links are looked at in many postures with the tool in the workspace, and what can be moved where it begins and in
    the tool.
    """
    model = scene.robot.model
    arm = _postures(model.name, model.digest)
    to_base = invert([*scene.robot.position, *scene.robot.orientation])
    if camera.parent is None:
        eyes = compose(to_base, [*camera.position, 0.0, 0.0, 0.0, 1.0])[None, :3]
    else:
        eyes = _carried(arm, np.array([model.link_index(camera.parent)]), np.array([camera.position]))[:, 0]
    rows, spheres = np.array([surface.carrier for surface in drawn]), _spheres(drawn)
    near, linked, count = np.empty(len(drawn)), (rows > 0) & (rows < len(model.links)), len(model.links)
    middles = _middles(model.name, model.digest, rows[linked].tobytes(), spheres[linked, :3].tobytes())
    near[linked] = _least(middles - eyes[:, None])
    if not linked.all():
        places = np.array([_BASE, *(body.pose for body in scene.bodies)])
        places[1:] = compose(to_base, places[1:])
        starts = places[np.maximum(rows[~linked] - count + 1, 0)]
        still = starts[:, :3] + np.einsum("sij,sj->si", quat_to_matrix(starts[:, 3:]), spheres[~linked, :3])
        near[~linked] = _least(still - eyes[:, None])
        moving = ~linked & ~np.array([surface.fixed for surface in drawn])
        near[moving] = np.minimum(near[moving], _least(arm.tools[:, None] - eyes[:, None]))
    away: Array = np.maximum(near - spheres[:, 3], np.maximum(_INSIDE * spheres[:, 3], camera.near))
    return away


def _carried(arm: Postures, rows: Any, points: Array) -> Array:
    """Points (s, 3) of the frames of links `rows` (s,), in each posture (n, s, 3)."""
    moved: Array = arm.origins[:, rows] + np.einsum("nsij,sj->nsi", arm.axes[:, rows], points)
    return moved


@lru_cache(maxsize=64)
def _middles(name: str, digest: str, rows: bytes, points: bytes) -> Array:
    """What `_carried` gives of a robot's surfaces, which are the same for many cameras."""
    return _carried(_postures(name, digest), np.frombuffer(rows, np.int64), np.frombuffer(points).reshape(-1, 3))


def _least(ways: Array) -> Array:
    """The least lengths (s,) of ways (n, s, 3)."""
    shortest: Array = np.sqrt((ways * ways).sum(axis=-1).min(axis=0))
    return shortest


@lru_cache(maxsize=64)
def _postures(name: str, digest: str) -> Postures:
    """A robot at rest, and evenly spread about it (Richtmyer 1951) with its tool in the workspace."""
    model = robot_of_digest(name, digest)
    positions = np.tile(np.array(model.rest), (_POSTURES, 1))
    for k in range(model.arm_joints):
        spread = (np.arange(_POSTURES) * np.sqrt(_PRIMES[k % len(_PRIMES)]) + 0.5) % 1.0
        positions[:, k] += _SWAY * (2 * spread - 1)
    links = _links(model, np.clip(positions, model.lower, model.upper))
    held = compose(links[:, model.link_index(model.tool.link)], [*model.tool.position, *model.tool.orientation])
    tools, (low, high) = held[:, :3], np.array(model.workspace) - model.base
    inside = ((tools >= low) & (tools <= high)).all(axis=1)
    inside[0] = True
    return Postures(links[inside, :, :3], quat_to_matrix(links[inside, :, 3:]), tools[inside])


def _links(model: RobotModel, positions: Array) -> Array:
    """Poses (n, links, 7) of the links on the base at joint positions (n, joints)."""
    poses = {model.links[0]: np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (len(positions), 1))}
    columns = dict(zip(model.joints, positions.T, strict=True))
    for joint in model.tree:
        frame = compose(poses[joint.parent], [*joint.position, *joint.orientation])
        poses[joint.child] = compose(frame, _motion(joint, columns.get(joint.name, np.zeros(len(positions)))))
    return np.stack([poses[link] for link in model.links], axis=1)


def _motion(joint: Joint, positions: Array) -> Array:
    """Poses (n, 7) of what a joint carries, in its frame."""
    out = np.zeros((len(positions), 7))
    out[:, 6] = 1.0
    if joint.kind == "prismatic":
        out[:, :3] = positions[:, None] * joint.axis
    elif joint.kind != "fixed":
        out[:, 3:6], out[:, 6] = np.sin(positions / 2)[:, None] * joint.axis, np.cos(positions / 2)
    return out


def _spheres(drawn: list[Surface]) -> Array:
    """Middles of surfaces' bounds in their carriers' frames, and half their diagonals (s, 4)."""
    bounds = np.array([mesh_bounds(surface.mesh) for surface in drawn])
    low, high = np.moveaxis(bounds * np.array([surface.size for surface in drawn])[:, None], 1, 0)
    local = np.array([surface.local for surface in drawn])
    middles = local[:, :3] + np.einsum("sij,sj->si", quat_to_matrix(local[:, 3:]), (low + high) / 2)
    return np.column_stack([middles, np.sqrt(((high - low) ** 2).sum(axis=1)) / 2])
