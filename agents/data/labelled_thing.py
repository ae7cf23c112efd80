"""What is told of one thing on an image, and of all of them as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simworld.agents.data.example import Things
from simworld.geometry import Array

TURNS = 32
"""Into how many rotations all those about an axis are divided."""


@dataclass(frozen=True)
class LabelledThing:
    """A row of `Things`: a rotation by rows, keypoints (k, 3), and symmetries as BOP has them, of axes the directions.

    The discrete ones are rigid motions (4, 4) by rows.
    """

    category: int
    instance: int
    box: Sequence[float]
    rotation: Sequence[float] | Array
    translation: Sequence[float] | Array
    keypoints: Array
    discrete: Sequence[Sequence[float]]
    axes: Sequence[Sequence[float]]
    mesh: str


def together(things: Sequence[LabelledThing], points: int) -> Things:
    """Things as arrays, with room for so many keypoints of each."""
    alike = [rotations_alike(thing.discrete, thing.axes) for thing in things]
    return Things(
        category=np.array([thing.category for thing in things], dtype=np.int64),
        instance=np.array([thing.instance for thing in things], dtype=np.int64),
        boxes=np.array([thing.box for thing in things], dtype=np.float64).reshape(-1, 4),
        rotations=np.array([thing.rotation for thing in things], dtype=np.float64).reshape(-1, 3, 3),
        translations=np.array([thing.translation for thing in things], dtype=np.float64).reshape(-1, 3),
        keypoints=padded([thing.keypoints for thing in things], points, (3,)),
        alike=padded(alike, max(map(len, alike), default=0), (3, 3)),
        meshes=np.array([thing.mesh for thing in things], dtype=np.str_),
        shown=np.ones(len(things)),
    )


def rotations_alike(discrete: Sequence[Sequence[float]], axes: Sequence[Sequence[float]]) -> Array:
    """The rotations (a, 3, 3) that keep a shape: none, the discrete ones, and TURNS of each about an axis.

    Where axes differ every rotation does, and none is listed. All are taken to be about the origin of the thing's
    frame, as those of all families are: offsets of axes and translations are left out.
    """
    fixed = np.concatenate([np.eye(3)[None], np.reshape(list(discrete), (-1, 4, 4))[:, :3, :3]])
    if not axes:
        return fixed
    if np.linalg.matrix_rank(axes, tol=1e-6) > 1:
        return np.zeros((0, 3, 3))
    found: Array = (fixed[:, None] @ _turns(np.asarray(axes[0]))[None]).reshape(-1, 3, 3)
    return found


def padded(rows: Sequence[Array], length: int, shape: tuple[int, ...]) -> Array:
    """Arrays (m, ...) as one (n, length, ...), filled up with zeros."""
    out = np.zeros((len(rows), length, *shape))
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out


def _turns(axis: Array) -> Array:
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angles = np.arange(TURNS)[:, None, None] * 2 * np.pi / TURNS
    turned: Array = np.eye(3) + np.sin(angles) * cross + (1 - np.cos(angles)) * (cross @ cross)
    return turned
