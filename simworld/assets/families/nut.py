"""A hexagonal nut that lies."""

import numpy as np

from simworld.assets.forming.convex import around_hole
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import STEEL, paint
from simworld.assets.forming.shells import holed
from simworld.assets.forming.symmetries import group, turns_about
from simworld.streams import Generator


def _nut(rng: Generator) -> Form:
    radius, sides = rng.uniform(0.016, 0.03), 6
    hole, thick = rng.uniform(0.45, 0.62) * radius, rng.uniform(0.4, 0.8) * radius
    angles = 2 * np.pi * np.arange(4 * sides) / (4 * sides)
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    beyond = np.mod(angles, np.pi / 3) - np.pi / 6
    outer = around * (radius * np.cos(np.pi / 6) / np.cos(beyond))[:, None]
    color = paint(rng, (STEEL, STEEL, (0.8, 0.65, 0.3), (0.3, 0.3, 0.33)), 0.04)
    return Form(
        shells=[holed(outer, hole * around, -thick / 2, thick / 2)],
        looks=[color],
        parts=around_hole(outer, hole * around, -thick / 2, thick / 2, 4),
        density=rng.uniform(2000.0, 5000.0),
        color=color,
        keypoints={"corner": (radius, 0.0, 0.0), "hole": (hole, 0.0, thick / 2)},
        turns=group(turns_about(2, sides)[0], turns_about(0, 2)[0]),
        grips=across(round(radius * np.sqrt(3), 6), 0.0)[:1],
    )


FAMILY = Family(_nut, ("corner", "hole"))
