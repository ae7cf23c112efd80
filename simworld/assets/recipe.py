"""What generated objects are made of: pieces, about the middle of the object, in metres."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from simworld.geometry import Vec3

_MIDDLE: Vec3 = (0.0, 0.0, 0.0)


class Block(NamedTuple):
    """A cuboid along the object's axes."""

    half_extents: Vec3
    position: Vec3 = _MIDDLE


class Rod(NamedTuple):
    """A cylinder along the object's z axis."""

    radius: float
    height: float
    position: Vec3 = _MIDDLE


class Ball(NamedTuple):
    """A sphere."""

    radius: float
    position: Vec3 = _MIDDLE


Piece = Block | Rod | Ball
Generate = Callable[[Vec3, int], tuple[Piece, ...]]


@dataclass(frozen=True)
class Generator:
    """Makes objects of one kind: `generate` gives the pieces of one of a size (width, depth, height) and a seed.

    `tags` are those of `tagged` distributions. What `rolls` has rolling friction, so that it comes to rest, and what is
    not `flat_sided` has spinning friction, so that fingers hold it. The seed is drawn of those that are `seeded`.
    """

    generate: Generate
    tags: tuple[str, ...] = ()
    rolls: bool = False
    flat_sided: bool = False
    seeded: bool = False
