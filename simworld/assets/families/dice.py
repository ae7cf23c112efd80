"""A die with the points that opposite faces make seven of."""

import numpy as np

from simworld.assets.forming.form import Family, Form, Image
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import SIDE, disc, image, paint
from simworld.assets.forming.shells import rounded_box
from simworld.assets.forming.symmetries import group, turns_about
from simworld.geometry import Vec3
from simworld.streams import Generator

_PLACES = {
    1: [(0, 0)],
    2: [(-1, -1), (1, 1)],
    3: [(-1, -1), (0, 0), (1, 1)],
    4: [(-1, -1), (-1, 1), (1, -1), (1, 1)],
    5: [(-1, -1), (-1, 1), (0, 0), (1, -1), (1, 1)],
    6: [(-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)],
}
_FACES = (4, 3, 2, 5, 6, 1)
"""The points of -x, +x, -y, +y, -z and +z."""
_REGIONS = [((k % 3) / 4, 0.75 - (k // 3) / 4, (k % 3 + 1) / 4, 1 - (k // 3) / 4) for k in range(6)]


def _points(base: Vec3, ink: Vec3) -> Image:
    """A quarter of the image's side for each face."""
    canvas = np.broadcast_to(np.array(base), (2 * SIDE, 2 * SIDE, 3)).copy()
    side = SIDE // 2
    for k, points in enumerate(_FACES):
        cell = canvas[k // 3 * side : (k // 3 + 1) * side, k % 3 * side : (k % 3 + 1) * side]
        for x, y in _PLACES[points]:
            disc(cell, (0.5 + 0.24 * x, 0.5 + 0.24 * y), 0.09, ink)
    return image(canvas)


def _dice(rng: Generator) -> Form:
    side, color = rng.uniform(0.022, 0.034), paint(rng)
    ink = (0.95, 0.95, 0.93) if sum(color) < 1.7 else (0.1, 0.1, 0.12)
    return Form(
        shells=[rounded_box((side, side, side), 0.12 * side, 0, _REGIONS)],
        looks=[_points(color, ink)],
        parts=[rounded_box((side, side, side), 0.12 * side, steps=1)],
        density=1100.0,
        color=color,
        keypoints={"one": (0.0, 0.0, side / 2), "three": (side / 2, 0.0, 0.0)},
        turns=group(turns_about(2, 4)[0], turns_about(0, 4)[0]),
        grips=across(side, 0.0),
    )


FAMILY = Family(_dice, ("one", "three"))
