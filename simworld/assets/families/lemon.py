"""A lemon on its side, its tip towards x."""

import numpy as np

from simworld.assets.forming.convex import segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import SIDE, image, mixed, noise, paint
from simworld.assets.forming.shells import capped, sections_along
from simworld.assets.index import SymmetryAxis
from simworld.streams import Generator


def _lemon(rng: Generator) -> Form:
    radius, length = rng.uniform(0.022, 0.029), rng.uniform(0.062, 0.085)
    s = np.array([-0.5, -0.49, -0.46, -0.42, -0.36, -0.27, -0.15, 0.15, 0.27, 0.36, 0.42, 0.46, 0.49, 0.5])
    girth = np.array([0.05, 0.1, 0.22, 0.42, 0.66, 0.86, 1.0, 1.0, 0.86, 0.62, 0.34, 0.2, 0.14, 0.06]) * radius
    path = np.column_stack([length * s, 0 * s, 0 * s])
    rings = sections_along(path, np.column_stack([girth, girth]), (0.0, 0.0, 1.0), 21)
    color = paint(rng, ((0.95, 0.85, 0.2), (0.93, 0.87, 0.3), (0.96, 0.84, 0.12)), 0.03)
    pores = mixed(color, np.array(color) * 0.8, (noise(rng, (48, 48), SIDE) > 0.7) * 0.6)
    return Form(
        shells=[capped(rings)],
        looks=[image(mixed(pores, (0.75, 0.78, 0.25), 0.25 * noise(rng, (4, 3))))],
        parts=segments(rings[[1, 3, 5, 6, 7, 8, 10, 12]]),
        density=950.0,
        color=color,
        axes=[SymmetryAxis(axis=(1.0, 0.0, 0.0), offset=(0.0, 0.0, 0.0))],
        keypoints={"tip": (length / 2, 0.0, 0.0), "stem": (-length / 2, 0.0, 0.0)},
        grips=[along(0.0, 0.0, 2 * radius)],
    )


FAMILY = Family(_lemon, ("tip", "stem"), rolls=True)
