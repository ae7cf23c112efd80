"""A spoon that lies: its handle towards x, on its bowl and the handle's end."""

import numpy as np

from simworld.assets.forming.convex import segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import STEEL, paint
from simworld.assets.forming.shells import capped
from simworld.streams import Generator


def _spoon(rng: Generator) -> Form:
    length, wide, deep, thick = rng.uniform(0.13, 0.17), rng.uniform(0.016, 0.021), rng.uniform(0.007, 0.01), 0.003
    x = np.array([0.0, 0.01, 0.04, 0.1, 0.18, 0.26, 0.31, 0.35, 0.42, 0.55, 0.7, 0.85, 0.95, 0.99, 1.0]) * length
    half = np.array([0.15, 0.4, 0.68, 0.95, 1.0, 0.78, 0.45, 0.26, 0.2, 0.18, 0.22, 0.3, 0.34, 0.26, 0.12]) * wide
    hollow = np.array([0.0, 0.1, 0.42, 0.85, 1.0, 0.75, 0.35, 0.1, 0, 0, 0, 0, 0, 0, 0]) * (deep - thick)
    rim = deep + np.array([0, 0, 0, 0, 0, 0, 0.1, 0.22, 0.4, 0.5, 0.36, 0.0, -0.4, -0.6, -0.65]) * (deep - thick)
    rim[11:] = np.linspace(rim[10], thick, 6)[1:5]
    angles = np.pi * (1 + np.arange(9) / 8)
    y, low = half[:, None] * np.cos(angles), rim[:, None] + (thick + hollow[:, None]) * np.sin(angles)
    high = rim[:, None] + hollow[:, None] * np.sin(angles)
    across = np.broadcast_to(x[:, None], y.shape)
    under = np.stack([across, y, low], axis=2)
    over = np.stack([across, y, high], axis=2)[:, ::-1]
    color = paint(rng, (STEEL, STEEL, (0.75, 0.55, 0.32), (0.2, 0.5, 0.75), (0.85, 0.3, 0.3)), 0.04)
    return Form(
        shells=[capped(np.concatenate([under, over], axis=1))],
        looks=[color],
        parts=segments(under[[0, 2, 3, 4, 5, 7, 9, 10, 11, 14]]),
        density=4000.0 if color[2] > 0.6 else 1500.0,
        color=color,
        keypoints={
            "bowl": (float(x[4]), 0.0, float(rim[4] - hollow[4])),
            "handle": (length, 0.0, float(rim[-1] - thick / 2)),
            "tip": (0.0, 0.0, float(rim[0] - thick / 2)),
        },
        grips=[along(float(x[9]), float(rim[9] - thick / 2), 0.4 * wide)],
    )


FAMILY = Family(_spoon, ("bowl", "handle", "tip"))
