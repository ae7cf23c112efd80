"""A toothed wheel that lies, with a hole in its middle."""

import numpy as np

from simworld.assets.forming.convex import around_hole
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import PAINTS, STEEL, paint
from simworld.assets.forming.shells import circle, holed
from simworld.assets.forming.symmetries import group, turns_about
from simworld.streams import Generator


def _gear(rng: Generator) -> Form:
    teeth, radius, thick = int(rng.integers(8, 17)), rng.uniform(0.02, 0.033), rng.uniform(0.01, 0.018)
    root, hole = rng.uniform(0.78, 0.88) * radius, rng.uniform(0.2, 0.4) * radius
    step = 2 * np.pi / teeth
    angles = (np.arange(teeth)[:, None] * step + np.array([-0.32, -0.16, 0.0, 0.16, 0.32, 0.5]) * step).ravel()
    radii = np.tile([root, radius, radius, radius, root, root], teeth)
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    color = paint(rng, (STEEL, (0.8, 0.65, 0.3), *PAINTS[:5]))
    felt = circle(0.5 * (root + radius), 0.0, 20)[:, :2]
    return Form(
        shells=[holed(radii[:, None] * around, hole * around, -thick / 2, thick / 2)],
        looks=[color],
        parts=around_hole(felt, felt * hole / np.linalg.norm(felt[0]), -thick / 2, thick / 2, 2),
        density=rng.uniform(1200.0, 4000.0),
        color=color,
        keypoints={"tooth": (radius, 0.0, 0.0), "hole": (hole, 0.0, thick / 2)},
        turns=group(turns_about(2, teeth)[0], turns_about(0, 2)[0]),
        grips=across(2 * radius, 0.0),
    )


FAMILY = Family(_gear, ("tooth", "hole"))
