"""A screwdriver on a flat side of its handle, which is towards x."""

import numpy as np

from simworld.assets.forming.convex import segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import STEEL, paint
from simworld.assets.forming.shells import capped, sections_along
from simworld.streams import Generator


def _screwdriver(rng: Generator) -> Form:
    length, radius = rng.uniform(0.075, 0.1), rng.uniform(0.011, 0.015)
    shaft, thin = rng.uniform(0.05, 0.09), rng.uniform(0.0025, 0.0035)
    s = np.array([0.0, 0.04, 0.1, 0.2, 0.28, 0.36, 0.92, 0.98, 1.0])
    girth = radius * np.array([0.5, 0.75, 0.82, 0.7, 0.85, 1.0, 1.0, 0.92, 0.6])
    rings = sections_along(
        np.column_stack([length * s, 0 * s, 0 * s]), np.column_stack([girth, girth]), (0.0, 0.0, 1.0), 9
    )
    ends = np.array([0.003, -shaft + 0.014, -shaft + 0.006, -shaft])
    flat = np.column_stack([thin * np.array([1.0, 1.0, 1.5, 1.5]), thin * np.array([1.0, 1.0, 0.5, 0.2])])
    blade = sections_along(np.column_stack([ends, 0 * ends, 0 * ends]), flat, (0.0, 0.0, 1.0), 10)
    color, band = paint(rng), paint(rng, ((0.1, 0.1, 0.12), (0.9, 0.9, 0.88)))
    return Form(
        shells=[capped(rings, [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]), capped(blade, 2)],
        looks=[color, band, paint(rng, (STEEL,), 0.03)],
        parts=[*segments(rings[[0, 2, 3, 5, 6, 8]]), *segments(blade[[0, 1, 3]])],
        density=(1100.0, 7800.0),
        color=color,
        keypoints={"handle": (length, 0.0, 0.0), "tip": (-shaft, 0.0, 0.0)},
        grips=[along(0.5 * length, 0.0, 2 * radius)],
    )


FAMILY = Family(_screwdriver, ("handle", "tip"), held_out=True)
