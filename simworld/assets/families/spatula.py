"""A spatula that lies: its handle towards x, and a flat blade."""

import numpy as np

from simworld.assets.forming.convex import block, segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import DARK, STEEL, paint, wooden
from simworld.assets.forming.shells import capped, extruded, sections_along
from simworld.streams import Generator


def _spatula(rng: Generator) -> Form:
    length, radius = rng.uniform(0.12, 0.17), rng.uniform(0.006, 0.008)
    long, wide, thick = rng.uniform(0.055, 0.08), rng.uniform(0.045, 0.065), 0.004
    s = np.array([-0.06, 0.0, 0.25, 0.35, 0.6, 0.85, 0.97, 1.0])
    girth = radius * np.array([0.6, 0.65, 0.65, 0.9, 1.05, 1.2, 1.1, 0.7])
    rise = np.column_stack([length * s, 0 * s, radius + 0 * s])
    rings = sections_along(rise, np.column_stack([np.full(8, radius), girth]), (0.0, 0.0, 1.0), 14)
    taper = rng.uniform(0.6, 0.95) * wide / 2
    corners = [(-long, -wide / 2), (-0.35 * long, -wide / 2), (0.0, -taper * 0.5), (0.0, taper * 0.5)]
    corners += [(-0.35 * long, wide / 2), (-long, wide / 2)]
    outline = np.array(corners) + (long / 2, 0.0)
    blade = extruded(outline, 0.0, thick, 0.0008, 1).moved(-long / 2)
    wood, metal = rng.random() < 0.5, paint(rng, (STEEL, DARK, (0.75, 0.55, 0.32)), 0.03)
    color = paint(rng, ((0.75, 0.55, 0.32), (0.6, 0.4, 0.2))) if wood else paint(rng)
    return Form(
        shells=[capped(rings), blade],
        looks=[wooden(rng, color).transpose(1, 0, 2) if wood else color, metal],
        parts=[
            block((0.65 * long, wide, thick), (-0.675 * long, 0.0, thick / 2)),
            block((0.35 * long, taper, thick), (-0.175 * long, 0.0, thick / 2)),
            *segments(rings[[0, 2, 4, 7]]),
        ],
        density=(900.0, 2500.0),
        color=color,
        keypoints={"handle": (length, 0.0, radius), "blade": (-long, 0.0, thick / 2)},
        grips=[along(0.3 * length, radius, 2 * radius), along(0.7 * length, radius, 2.4 * radius)],
    )


FAMILY = Family(_spatula, ("handle", "blade"))
