"""What stands in rooms: pieces of furniture as shapes, each of a look, made from a generator.

Every piece stands with its back to a wall: x is along it from the middle of the piece, y into the room, z above the
floor, in metres. None is wider than SLOT or deeper than DEPTH.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from simworld.geometry import IDENTITY, Quaternion, compose, quat_from_euler
from simworld.scene.model import Box, Cylinder, Part, Shape, Sphere
from simworld.streams import Generator

SLOT, DEPTH = 1.2, 0.45
"""Metres along a wall that each piece has, and into the room."""


class Furnishing(NamedTuple):
    """A shape of a look, the name of a material of the room, at a pose (7,) in some frame."""

    look: str
    shape: Shape
    pose: Sequence[float]


Pieces = list[Furnishing]
_FLAT: Quaternion = quat_from_euler(np.pi / 2, 0.0, 0.0)


def placed(pieces: Pieces, pose: Sequence[float]) -> Pieces:
    """Pieces of a frame that has a pose (7,), outside of it."""
    if not pieces:
        return []
    poses = compose(pose, np.array([piece.pose for piece in pieces])).tolist()
    return [Furnishing(piece.look, piece.shape, moved) for piece, moved in zip(pieces, poses, strict=True)]


def part_of(piece: Furnishing) -> Part:
    """A piece of the world as a part of a body."""
    x, y, z, *turn = piece.pose
    length = math.hypot(*turn)
    unit = (turn[0] / length, turn[1] / length, turn[2] / length, turn[3] / length)
    return Part(shape=piece.shape, position=(x, y, z), orientation=unit)


def block(look: str, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Furnishing:
    """A cuboid between limits along each axis."""
    middle, half = zip(*(((a + b) / 2, (b - a) / 2) for a, b in (x, y, z)), strict=True)
    return _seen(look, Box(half_extents=half), middle)


def post(look: str, x: float, y: float, z: tuple[float, float], radius: float) -> Furnishing:
    """An upright cylinder."""
    return _seen(look, Cylinder(radius=radius, height=z[1] - z[0]), (x, y, (z[0] + z[1]) / 2))


def disc(look: str, x: float, z: float, radius: float, depth: float) -> Furnishing:
    """A cylinder on the wall, of which a face looks into the room."""
    return _seen(look, Cylinder(radius=radius, height=depth), (x, depth / 2, z), _FLAT)


def ball(look: str, x: float, y: float, z: float, radius: float) -> Furnishing:
    """A sphere."""
    return _seen(look, Sphere(radius=radius), (x, y, z))


def _seen(look: str, shape: Shape, place: Sequence[float], turn: Quaternion = IDENTITY) -> Furnishing:
    return Furnishing(look, shape, (*place, *turn))


def _several(generator: Generator, low: int, high: int) -> int:
    return int(generator.integers(low, high + 1))


def _one(generator: Generator, *looks: str) -> str:
    return looks[int(generator.integers(len(looks)))]


def picture(generator: Generator) -> Pieces:
    """A picture in a frame, or two of them."""
    made: Pieces = []
    for x in (0.0,) if generator.random() < 0.6 else (-0.3, 0.3):
        width, height = generator.uniform(0.12, 0.26, 2).tolist()
        z = float(generator.uniform(1.2, 1.5))
        made.append(
            block(
                _one(generator, "dark", "wood", "white"), (x - width, x + width), (0.0, 0.025), (z - height, z + height)
            )
        )
        edge = 0.03
        sides = (x - width + edge, x + width - edge), (z - height + edge, z + height - edge)
        made.append(block(_one(generator, "art", "accent", "second"), sides[0], (0.02, 0.03), sides[1]))
    return made


def _ornaments(generator: Generator, width: float, height: float) -> Pieces:
    """Things on top of something so high."""
    made: Pieces = []
    for x in np.linspace(-width + 0.12, width - 0.12, 3).tolist():
        size, look = float(generator.uniform(0.05, 0.1)), _one(generator, "accent", "second", "white", "dark")
        match _several(generator, 0, 4):
            case 0:
                made.append(post(look, x, 0.2, (height, height + 3 * size), size))
            case 1:
                made.append(ball(look, x, 0.2, height + size, size))
            case 2:
                made.append(block(look, (x - size, x + size), (0.12, 0.3), (height, height + 2 * size)))
    return made


def bookshelf(generator: Generator) -> Pieces:
    """Shelves with rows of books and boxes."""
    width, height = float(generator.uniform(0.3, 0.5)), float(generator.uniform(1.2, 2.0))
    look, boards = _one(generator, "wood", "white", "dark"), _several(generator, 3, 5)
    made = [block(look, (s * width - 0.015, s * width + 0.015), (0.0, 0.28), (0.0, height)) for s in (-1, 1)]
    made.append(block(look, (-width, width), (0.0, 0.01), (0.0, height)))
    for level in np.linspace(0.06, height - 0.015, boards).tolist():
        made.append(block(look, (-width, width), (0.0, 0.28), (level - 0.015, level + 0.015)))
        if level < height - 0.3:
            end = float(generator.uniform(-0.5, 0.9)) * width
            tall = float(generator.uniform(0.16, 0.26))
            made.append(block("books", (-width + 0.03, end), (0.02, 0.22), (level + 0.015, level + tall)))
            if end < 0.4 * width:
                made.append(ball(_one(generator, "accent", "second"), width - 0.14, 0.14, level + 0.1, 0.08))
    return made


def cabinet(generator: Generator) -> Pieces:
    """A cupboard with doors and knobs, and things on it."""
    width, height = float(generator.uniform(0.35, 0.55)), float(generator.uniform(0.6, 1.0))
    look = _one(generator, "wood", "white", "accent", "dark")
    made = [
        block(look, (-width, width), (0.0, 0.38), (0.05, height)),
        block("dark", (-width + 0.05, width - 0.05), (0.05, 0.33), (0.0, 0.05)),
    ]
    wing = width / 2 - 0.015
    for x in (-width / 2, width / 2):
        made.append(block(look, (x - wing, x + wing), (0.38, 0.395), (0.08, height - 0.03)))
        made.append(ball("metal", x / width * 0.12, 0.41, height * 0.6, 0.015))
    return made + _ornaments(generator, width, height)


def sofa(generator: Generator) -> Pieces:
    """A sofa with cushions."""
    look, width = _one(generator, "accent", "second", "dark"), 0.58
    made = [
        block("dark", (0.05 - width, width - 0.05), (0.04, 0.4), (0.0, 0.08)),
        block(look, (-width, width), (0.02, 0.44), (0.08, 0.36)),
        block(look, (-width, width), (0.0, 0.14), (0.08, 0.78)),
        *(
            block(
                look,
                (s * width - 0.07, s * width + 0.01) if s > 0 else (-width - 0.01, -width + 0.07),
                (0.0, 0.44),
                (0.08, 0.56),
            )
            for s in (-1, 1)
        ),
    ]
    made += [block(look, (a, a + 0.5), (0.14, 0.44), (0.36, 0.44)) for a in (-0.505, 0.005)]
    made += [block("second", (x - 0.16, x + 0.16), (0.13, 0.23), (0.44, 0.74)) for x in (-0.3, 0.28)]
    return made


def plant(generator: Generator) -> Pieces:
    """A plant in a pot."""
    pot, height = float(generator.uniform(0.12, 0.2)), float(generator.uniform(0.5, 1.3))
    made = [post(_one(generator, "white", "accent", "pot"), 0.0, 0.22, (0.0, 2 * pot), pot)]
    made.append(post("wood", 0.0, 0.22, (2 * pot, 2 * pot + height * 0.6), 0.018))
    for _ in range(_several(generator, 5, 8)):
        x, z = float(generator.uniform(-0.25, 0.25)), float(generator.uniform(0.35, 1.0)) * height + 2 * pot
        made.append(ball("leaves", x, float(generator.uniform(0.14, 0.3)), z, float(generator.uniform(0.07, 0.15))))
    return made


def floor_lamp(generator: Generator) -> Pieces:
    """A lamp on a pole."""
    height, shade = float(generator.uniform(1.3, 1.7)), float(generator.uniform(0.13, 0.2))
    return [
        post("metal", 0.0, 0.22, (0.0, 0.03), 0.14),
        post("metal", 0.0, 0.22, (0.03, height), 0.015),
        post("lamp", 0.0, 0.22, (height - 0.12, height + 0.16), shade),
    ]


def desk(generator: Generator) -> Pieces:
    """A desk with a screen."""
    look, width = _one(generator, "wood", "white"), 0.55
    made = [block(look, (-width, width), (0.0, 0.45), (0.7, 0.73))]
    made += [
        block("metal", (s * 0.5 - 0.02, s * 0.5 + 0.02), (y, y + 0.04), (0.0, 0.7))
        for s in (-1, 1)
        for y in (0.02, 0.38)
    ]
    made += [
        block("dark", (-0.28, 0.28), (0.14, 0.17), (0.83, 1.17)),
        block(_one(generator, "art", "second", "dark"), (-0.26, 0.26), (0.16, 0.175), (0.85, 1.15)),
        block("dark", (-0.03, 0.03), (0.13, 0.15), (0.73, 0.9)),
        block("dark", (-0.2, 0.2), (0.28, 0.4), (0.73, 0.745)),
    ]
    return made


def crates(generator: Generator) -> Pieces:
    """Boxes on each other."""
    made: Pieces = []
    for x in (-0.3, 0.25):
        z = 0.0
        for _ in range(_several(generator, 1, 3)):
            half, high = float(generator.uniform(0.14, 0.24)), float(generator.uniform(0.2, 0.4))
            made.append(
                block(
                    _one(generator, "card", "card", "accent"),
                    (x - half, x + half),
                    (0.02, 0.02 + 1.6 * half),
                    (z, z + high),
                )
            )
            z += high
    return made


def appliance(generator: Generator) -> Pieces:
    """Something white, or of metal, with a door: a fridge, or a washing machine."""
    look, tall = _one(generator, "white", "metal"), float(generator.random()) < 0.5
    height = 1.7 if tall else 0.85
    made = [block(look, (-0.3, 0.3), (0.0, 0.43), (0.0, height))]
    if tall:
        made.append(block("dark", (-0.3, 0.3), (0.43, 0.432), (1.1, 1.115)))
        return [*made, *(block("metal", (0.22, 0.25), (0.43, 0.45), z) for z in ((0.7, 1.05), (1.16, 1.4)))]
    front = _seen("dark", Cylinder(radius=0.17, height=0.03), (0.0, 0.43, 0.42), _FLAT)
    return [*made, front, block("metal", (-0.28, 0.28), (0.43, 0.435), (0.72, 0.82))]


def clock(generator: Generator) -> Pieces:
    """A round clock on the wall."""
    radius, z = float(generator.uniform(0.12, 0.2)), float(generator.uniform(1.5, 1.7))
    hands = [
        block("dark", (-0.008, 0.008), (0.035, 0.04), (z, z + 0.8 * radius)),
        block("dark", (0.0, 0.5 * radius), (0.035, 0.04), (z - 0.008, z + 0.008)),
    ]
    return [disc("dark", 0.0, z, radius, 0.03), disc("white", 0.0, z, 0.9 * radius, 0.035), *hands]


FURNITURE: Mapping[str, Callable[[Generator], Pieces]] = {
    made.__name__: made for made in (bookshelf, cabinet, sofa, plant, floor_lamp, desk, crates, appliance)
}
"""What stands along walls."""
ON_WALLS: Mapping[str, Callable[[Generator], Pieces]] = {made.__name__: made for made in (picture, clock)}
"""What hangs on them."""
