"""What links weigh and are made of, in the frames that it is moved to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array, quat_to_matrix


@dataclass(frozen=True)
class Inertia:
    """Mass (kg), centre of mass (3,) and tensor (3, 3) about it, in the frame of a link."""

    mass: float
    center: Array
    tensor: Array

    def moved(self, matrix: Array) -> "Inertia":
        """The same in the frame in which this one has the pose `matrix` (4, 4)."""
        turn = matrix[:3, :3]
        return Inertia(self.mass, turn @ self.center + matrix[:3, 3], turn @ self.tensor @ turn.T)

    def joined(self, other: "Inertia") -> "Inertia":
        """Both in one, by the parallel axis theorem."""
        mass = self.mass + other.mass
        if mass == 0:
            return self
        center = (self.mass * self.center + other.mass * other.center) / mass
        return Inertia(mass, center, self._about(center) + other._about(center))

    def _about(self, point: Array) -> Array:
        d = self.center - point
        return np.asarray(self.tensor + self.mass * (d @ d * np.eye(3) - np.outer(d, d)))


NOTHING = Inertia(0.0, np.zeros(3), np.zeros((3, 3)))


class LinkPiece(NamedTuple):
    """Vertices (n, 3) in metres in a link's frame, triangles (m, 3), and their sRGB colours (m, 3), NaN for none."""

    vertices: Array
    triangles: NDArray[np.int64]
    colors: Array

    def moved(self, matrix: Array) -> "LinkPiece":
        """The same in the frame in which this one has the pose `matrix` (4, 4); a mirror keeps its outside outside."""
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        triangles = self.triangles[:, ::-1] if mirrored else self.triangles
        return LinkPiece(self.vertices @ matrix[:3, :3].T + matrix[:3, 3], triangles, self.colors)


@dataclass(frozen=True)
class Link:
    """What a link weighs, what is seen of it, and what collides."""

    name: str
    inertia: Inertia = NOTHING
    visuals: tuple[LinkPiece, ...] = ()
    collisions: tuple[LinkPiece, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it is no more than a frame."""
        return not (self.inertia.mass or self.visuals or self.collisions)

    @property
    def touched(self) -> LinkPiece | None:
        """What may touch something, as one: what collides, or else what is seen."""
        return joined(self.collisions or self.visuals)

    def joined(self, other: "Link", matrix: Array, name: str) -> "Link":
        """This and another one, which is at the pose `matrix` (4, 4) in it, as one link."""
        return Link(
            name,
            self.inertia.joined(other.inertia.moved(matrix)),
            (*self.visuals, *(piece.moved(matrix) for piece in other.visuals)),
            (*self.collisions, *(piece.moved(matrix) for piece in other.collisions)),
        )


def joined(pieces: Sequence[LinkPiece]) -> LinkPiece | None:
    """Pieces as one; None for none."""
    if not pieces:
        return None
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    triangles = [piece.triangles + start for piece, start in zip(pieces, starts, strict=False)]
    vertices, colors = (np.concatenate([getattr(p, name) for p in pieces]) for name in ("vertices", "colors"))
    return LinkPiece(vertices, np.concatenate(triangles), colors)


def pose_matrix(position: Any, orientation: Any) -> Array:
    """The matrix (4, 4) of a position (3,) and a quaternion."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = quat_to_matrix(orientation), position
    return matrix
