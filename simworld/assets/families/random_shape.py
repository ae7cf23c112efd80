"""One of the thousand random shapes that come with pybullet_data, which made it for learning to grasp."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from simworld.assets.forming.form import Family, Form, Shell
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint
from simworld.assets.roots import data_path
from simworld.assets.volume import volume_integrals
from simworld.geometry import Array
from simworld.reading import read_bytes
from simworld.streams import Generator

_SHAPES, _BROKEN = 1000, 168
"""How many there are, and the one whose file has places that are not numbers: the one before is taken for it."""
_WIDTH = 0.065
"""Metres across at most, the narrower way."""
_LONGEST = 0.15
_DIRECTIONS = 600


def _shape(rng: Generator) -> Form:
    number = int(rng.integers(_SHAPES))
    number -= number == _BROKEN
    parts = _read(f"random_urdfs/{number:03}/{number:03}.obj")
    solids = [volume_integrals(part.vertices, part.triangles) for part in parts]
    center = np.sum([solid[1] for solid in solids], axis=0) / sum(solid[0] for solid in solids)
    points = np.concatenate([part.vertices for part in parts]) - center
    turn = _laid(points)
    size = np.ptp(points @ turn.T, axis=0)
    scale = min(_WIDTH * rng.uniform(0.6, 1.0) / size[1], _LONGEST / size[0])
    made = [part._replace(vertices=(part.vertices - center) @ turn.T * scale) for part in parts]
    color = paint(rng)
    top = (points @ turn.T * scale)[(points @ turn.T)[:, 2].argmax()]
    return Form(
        shells=made,
        looks=[color],
        parts=made,
        density=500.0,
        color=color,
        keypoints={"top": (float(top[0]), float(top[1]), float(top[2]))},
        grips=across(float(size[1] * scale), 0.0)[:1],
    )


def _laid(points: Array) -> Array:
    """The rotation (3, 3) to where points (n, 3) about their centre of mass lie lowest, the long side along x."""
    k = np.arange(_DIRECTIONS) + 0.5
    polar, around = np.arccos(1 - 2 * k / _DIRECTIONS), np.pi * (1 + 5**0.5) * k
    ways = np.column_stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)])
    down = ways[(points @ ways.T).max(axis=0).argmin()]
    # The lowest face is near: one through three of the points that are farthest down.
    near = points[np.argsort(points @ down)[-12:]]
    a, b, c = (near[list(rows)] for rows in zip(*combinations(range(len(near)), 3), strict=True))
    crossed = np.cross(b - a, c - a)
    lengths = np.linalg.norm(crossed, axis=1)
    normals = crossed[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    heights = (normals * a[lengths > 1e-9]).sum(axis=1)
    normals, heights = normals * np.sign(heights)[:, None], abs(heights)
    is_face = (points @ normals.T <= heights + 1e-6 * np.ptp(points)).all(axis=0)
    if is_face.any():
        down = normals[is_face][heights[is_face].argmin()]
    across = np.eye(3)[abs(down).argmin()]
    x = across - down * (across @ down)
    x /= np.linalg.norm(x)
    flat = np.stack([x, np.cross(-down, x), -down])
    angles = np.linspace(0, np.pi, 90, endpoint=False)
    widths = np.ptp(points @ flat[:2].T @ np.stack([-np.sin(angles), np.cos(angles)]), axis=0)
    angle = angles[widths.argmin()]
    turned: Array = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]) @ flat
    return turned


def _read(name: str) -> list[Shell]:
    """The convex pieces of a file."""
    pieces: list[tuple[list[list[str]], list[list[int]]]] = []
    before = 0
    for line in read_bytes(data_path() / name).decode().splitlines():
        kind, *words = line.split() or [""]
        if kind == "o":
            before += len(pieces[-1][0]) if pieces else 0
            pieces.append(([], []))
        elif kind == "v":
            pieces[-1][0].append(words[:3])
        elif kind == "f":
            pieces[-1][1].append([int(word.split("/")[0]) - 1 - before for word in words])
    return [_shell(np.array(vertices, dtype=float), np.array(triangles)) for vertices, triangles in pieces]


def _shell(vertices: Array, triangles: NDArray[np.int64]) -> Shell:
    count = len(triangles)
    return Shell(vertices, triangles, np.zeros((count, 3, 2)), np.zeros(count, dtype=np.int64))


FAMILY = Family(_shape, ("top",))
