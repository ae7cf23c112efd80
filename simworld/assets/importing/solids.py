"""What follows from a shape: volume, centre of mass, moments, and how it lies on a table."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from simworld.assets.importing.cleaning import Sound
from simworld.assets.importing.mesh_reading import needed
from simworld.assets.importing.pieces import ConvexPiece
from simworld.assets.volume import volume_integrals
from simworld.geometry import Array

_AS_LIKELY = 0.9
"""Share of the most likely posture's probability from which one counts as likely as it."""


class Solid(NamedTuple):
    """A solid of even density: volume, centre of mass (3,), and the second moments (3, 3) about it for each volume."""

    volume: float
    center: Array
    moments: Array


def solid_of(mesh: Sound, pieces: Sequence[ConvexPiece]) -> Solid:
    """A closed mesh by what it encloses, another by its convex pieces."""
    parts = [volume_integrals(part.vertices, part.triangles) for part in ([mesh] if mesh.closed else pieces)]
    volume = sum(part[0] for part in parts)
    center = np.sum([part[1] for part in parts], axis=0) / volume
    second = np.sum([part[2] for part in parts], axis=0) / volume
    return Solid(volume, center, second - np.outer(center, center))


def posture(pieces: Sequence[ConvexPiece], center: Array) -> Array:
    """The rotation (3, 3) into the frame of the likeliest rest on a table: z up, and the narrow side along y.

    Of postures as likely it is the one that turns the file's z least.
    """
    up = _up(pieces, center)
    across = np.eye(3)[np.argmin(np.abs(up))]
    x = across - up * (across @ up)
    x /= np.linalg.norm(x)
    laid = np.stack([x, np.cross(up, x), up])
    flat = np.concatenate([piece.vertices for piece in pieces]) @ laid.T
    turned: Array = _turned(_narrow(flat[:, :2])) @ laid
    return turned


def _up(pieces: Sequence[ConvexPiece], center: Array) -> Array:
    corners = np.concatenate([piece.vertices for piece in pieces]) - center
    whole = needed("trimesh.convex").convex_hull(corners)
    poses: Any = needed("trimesh.poses")
    transforms, chances = poses.compute_stable_poses(whole, center_mass=np.zeros(3), sigma=0.0, n_samples=1)
    if not len(chances):
        return np.array([0.0, 0.0, 1.0])
    likely = np.flatnonzero(chances >= _AS_LIKELY * chances.max())
    ups = np.array([transforms[k][2, :3] for k in likely])
    up: Array = ups[np.argmax(np.round(ups[:, 2], 6))]
    return up / np.linalg.norm(up)


def _narrow(points: Array) -> float:
    """The angle of the long side of the narrowest rectangle about points (n, 2), which lies along a side of theirs."""
    corners = points[needed("scipy.spatial").ConvexHull(points).vertices]
    sides = np.roll(corners, -1, axis=0) - corners
    angles = np.arctan2(sides[:, 1], sides[:, 0]) % np.pi
    widths = np.ptp(corners @ np.stack([-np.sin(angles), np.cos(angles)]), axis=0)
    return float(angles[np.argmin(np.round(widths / widths.max(), 6))])


def _turned(angle: float) -> Array:
    """The rotation about z that brings what is at an angle to x."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
