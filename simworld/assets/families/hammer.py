"""A hammer on its side: a handle of wood towards x, and a head of steel across."""

import numpy as np

from simworld.assets.forming.convex import block, segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import DARK, STEEL, paint, wooden
from simworld.assets.forming.shells import capped, rounded_box, sections_along
from simworld.streams import Generator

_WOODS = ((0.75, 0.55, 0.32), (0.6, 0.4, 0.2), (0.85, 0.68, 0.45))


def _hammer(rng: Generator) -> Form:
    length, radius = rng.uniform(0.14, 0.2), rng.uniform(0.009, 0.012)
    thick, wide = 2 * radius, rng.uniform(0.06, 0.085)
    s = np.linspace(0.0, 1.0, 9)
    girth = radius * np.array([0.85, 0.8, 0.78, 0.82, 0.9, 0.98, 1.0, 1.0, 0.85])
    path = np.column_stack([length * s, 0 * s, radius + 0 * s])
    rings = sections_along(path, np.column_stack([np.full(9, radius * 0.98), girth]), (0.0, 0.0, 1.0), 14)
    color, steel = paint(rng, _WOODS), paint(rng, (STEEL, DARK), 0.03)
    size = (thick + 0.006, wide, thick)
    head = rounded_box(size, 0.002, 1).moved(0.004, 0.0, radius)
    face = rounded_box((size[0] + 0.004, 0.012, size[2]), 0.002, 1).moved(0.004, -wide / 2, radius)
    return Form(
        shells=[capped(rings), head, face],
        looks=[wooden(rng, color).transpose(1, 0, 2), steel],
        parts=[
            block(size, (0.004, 0.0, radius)),
            block((size[0] + 0.004, 0.012, size[2]), (0.004, -wide / 2, radius)),
            *segments(rings, 4),
        ],
        density=(700.0, 6000.0, 6000.0),
        color=color,
        keypoints={
            "handle": (length, 0.0, radius),
            "head": (0.004, 0.0, 2 * radius),
            "face": (0.004, -wide / 2 - 0.006, radius),
        },
        grips=[along(0.035, radius, 1.7 * radius), along(0.6 * length, radius, 1.9 * radius)],
    )


FAMILY = Family(_hammer, ("handle", "head", "face"))
