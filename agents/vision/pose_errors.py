"""How far a pose is off, as BOP measures it (Hodan et al. 2020, https://bop.felk.cvut.cz)."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from simworld.annotation.surface_points import even_points, surface_points
from simworld.geometry import Array
from simworld.reading import parse_json
from simworld.scene.model import Mesh

Pose = tuple[Array, Array]
"""A rotation (3, 3) and a translation (3,) in metres, from a thing's frame to a camera's."""
_EVEN, _CORNERS = 2000, 500
"""Points that stand for a surface, and for its corners at most."""


class MeshPoints(NamedTuple):
    """Points (m, 3) all over a thing, by which ADD-S is measured; corners (n, 3), by which MSPD is; its diameter."""

    points: Array
    corners: Array
    diameter: float


@lru_cache(maxsize=1024)
def surface_of(mesh: str) -> MeshPoints:
    """The surface of a mesh that is given as JSON."""
    read = parse_json(mesh, Mesh, "a mesh")
    corners = surface_points(read, _CORNERS)
    return MeshPoints(even_points(read, _EVEN), corners, float(_distances(corners, corners).max()))


def add(points: Array, found: Pose, true: Pose) -> float:
    """The mean distance of points on the thing from where they are (ADD, Hinterstoisser et al. 2012)."""
    return float(np.linalg.norm(_moved(points, found) - _moved(points, true), axis=1).mean())


def add_s(points: Array, found: Pose, true: Pose) -> float:
    """The mean distance of where points on the thing are from the nearest of those that were found (ADD-S)."""
    return float(_distances(_moved(points, true), _moved(points, found)).min(axis=1).mean())


def mspd(points: Array, intrinsics: Array, found: Pose, true: Pose, alike: Array) -> float:
    """The largest distance in pixels of points from where they are seen, of the symmetry that leaves it smallest.

    `alike` (a, 3, 3) are the rotations that keep the thing's shape, and rows of zeros; where there are no others every
    rotation does, and the one that was found is the true one.
    """
    seen = _projected(_moved(points, found), intrinsics)
    turns = alike[np.abs(alike).sum(axis=(1, 2)) > 0]
    if not len(turns):
        turns = (true[0].T @ found[0])[None]
    others = (_projected(_moved(points, (true[0] @ turn, true[1])), intrinsics) for turn in turns)
    return float(min(np.linalg.norm(seen - other, axis=1).max() for other in others))


def _moved(points: Array, pose: Pose) -> Array:
    moved: Array = points @ pose[0].T + pose[1]
    return moved


def _projected(points: Array, intrinsics: Array) -> Array:
    seen = points @ intrinsics.T
    pixels: Array = seen[:, :2] / seen[:, 2:]
    return pixels


def _distances(one: Array, other: Array) -> Array:
    exactly = "donot_use_mm_for_euclid_dist"
    found: Array = torch.cdist(torch.from_numpy(one), torch.from_numpy(other), compute_mode=exactly).numpy()
    return found
