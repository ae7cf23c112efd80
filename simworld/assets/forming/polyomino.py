"""Blocks of squares side by side, as L, T and U."""

from collections.abc import Sequence

import numpy as np

from simworld.assets.forming.convex import block
from simworld.assets.forming.form import Form, Shell
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import paint, wooden
from simworld.assets.forming.shells import welded
from simworld.geometry import Array
from simworld.streams import Generator

Rectangle = tuple[int, int, int, int]
"""Least and greatest x and y, in squares."""
_WOOD = (0.8, 0.62, 0.4)


def polyomino(
    rng: Generator, rectangles: Sequence[Rectangle], grip: tuple[float, float, float], turns: Sequence[Array]
) -> Form:
    """A wooden or painted block of rectangles that do not overlap; its grip is along y: place and width in squares."""
    unit = rng.uniform(0.017, 0.023)
    height = unit * rng.uniform(0.9, 1.2)
    is_wood = rng.random() < 0.4
    color = paint(rng, (_WOOD,), 0.08) if is_wood else paint(rng)
    far = max(rectangles, key=lambda rectangle: rectangle[1])
    return Form(
        shells=[_blocks(rectangles, unit, height)],
        looks=[wooden(rng, color) if is_wood else color],
        parts=[
            block(((b - a) * unit, (d - c) * unit, height), ((a + b) / 2 * unit, (c + d) / 2 * unit, 0.0))
            for a, b, c, d in rectangles
        ],
        density=700.0,
        color=color,
        keypoints={
            "end": (far[1] * unit, _middle(far, unit)[1], 0.0),
            "top": (*_middle(rectangles[0], unit), height / 2),
        },
        turns=turns,
        grips=[along(grip[0] * unit, 0.0, grip[2] * unit, grip[1] * unit)],
    )


def _middle(rectangle: Rectangle, unit: float) -> tuple[float, float]:
    a, b, c, d = rectangle
    return (a + b) / 2 * unit, (c + d) / 2 * unit


def _blocks(rectangles: Sequence[Rectangle], unit: float, height: float) -> Shell:
    """The faces of squares that have none beside them, with the image once over four squares."""
    cells = {(x, y) for a, b, c, d in rectangles for x in range(a, b) for y in range(c, d)}
    quads: list[list[tuple[float, ...]]] = []
    uvs: list[list[tuple[float, float]]] = []
    z = height / unit / 2
    for x, y in sorted(cells):
        for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            if (x + dx, y + dy) not in cells:
                middle = np.array((x + 0.5 + dx / 2, y + 0.5 + dy / 2))
                side = np.array((-dy, dx)) / 2
                (ax, ay), (bx, by) = middle - side, middle + side
                quads.append([(ax, ay, -z), (bx, by, -z), (bx, by, z), (ax, ay, z)])
                uvs.append([(ax + ay, 0.0), (bx + by, 0.0), (bx + by, 2 * z), (ax + ay, 2 * z)])
        flat: list[tuple[float, float]] = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
        quads += [[(*corner, z) for corner in flat], [(*corner, -z) for corner in flat[::-1]]]
        uvs += [flat, flat[::-1]]
    first = 4 * np.arange(len(quads))[:, None]
    triangles = np.concatenate([first + [0, 1, 2], first + [0, 2, 3]])
    coordinates = np.array(uvs, dtype=float).reshape(-1, 2)[triangles] / 4
    return welded(
        np.array(quads).reshape(-1, 3) * unit, triangles, coordinates, np.zeros(len(triangles), dtype=np.int64)
    )
