"""What a family makes of a generator: the form of one instance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.assets.index import GripPlace, SymmetryAxis
from simworld.geometry import Array, Vec3
from simworld.streams import Generator

Image = NDArray[np.uint8]
"""Pixels (n, n, 3) in sRGB, the first row uppermost."""
Look = Vec3 | Image
"""A colour in sRGB, or an image that texture coordinates point into."""


class Shell(NamedTuple):
    """A closed surface: vertices (n, 3) in metres, triangles (m, 3) counterclockwise from outside,

    texture coordinates (m, 3, 2) of their corners with v upwards, and which look (m,) each triangle has.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    coordinates: Array
    looks: NDArray[np.int64]

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Shell":
        """The shell somewhere else."""
        return self._replace(vertices=self.vertices + (x, y, z))


@dataclass(frozen=True)
class Form:
    """An instance in a frame of z up as it stands, x towards what makes it oriented, and any origin; metres.

    `shells` are what is seen, and what weighs: of one `density` (kg/m3), or of one each. `parts` are what is touched,
    convex each. `color` is that of most of it. `turns` are the rotations (3, 3) about its
    centre of mass, other than none, that map it onto itself, and `axes` those about which all do.
    """

    shells: Sequence[Shell]
    looks: Sequence[Look]
    parts: Sequence[Shell]
    density: float | Sequence[float]
    color: Vec3 | None
    grips: Sequence[GripPlace]
    keypoints: Mapping[str, Vec3] = field(default_factory=dict)
    turns: Sequence[Array] = ()
    axes: Sequence[SymmetryAxis] = ()


@dataclass(frozen=True)
class Family:
    """Things of one category, each made by a generator of its own: an endless supply of different ones.

    `category` is what a detector names them, the family's name where it is empty. Those that are `graspable` a parallel
    gripper that opens 7 cm can take from above, by their first grip. What `rolls` has rolling friction. The instances
    of a family that is `held_out` are all of the test part. `keypoints` are the names of those that each of them has.
    """

    make: Callable[[Generator], Form]
    keypoints: tuple[str, ...]
    category: str = ""
    graspable: bool = True
    held_out: bool = False
    rolls: bool = False
    friction: float = 0.5

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags by which its kind is drawn."""
        given = {"thing": True, "graspable": self.graspable, "held_out": self.held_out}
        return tuple(tag for tag, is_so in given.items() if is_so)
