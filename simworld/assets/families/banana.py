"""A banana on its side, bent in the plane of the table: its stem towards x, bulging towards -y."""

import numpy as np

from simworld.assets.forming.convex import segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import SIDE, image, mixed, noise, paint
from simworld.assets.forming.shells import capped, sections_along
from simworld.streams import Generator

_FLAT = np.cos(np.pi / 15)
"""How far the flat side of a section of fifteen corners is from its middle, which lies on the table."""


def _banana(rng: Generator) -> Form:
    length, thick, bend = rng.uniform(0.13, 0.2), rng.uniform(0.015, 0.02), rng.uniform(1.0, 1.8)
    s = np.array([-0.5, -0.48, -0.44, -0.38, -0.28, -0.15, 0.0, 0.15, 0.28, 0.36, 0.41, 0.44, 0.47, 0.5])
    girth = np.array([0.2, 0.3, 0.5, 0.72, 0.92, 1.0, 1.0, 0.98, 0.88, 0.68, 0.42, 0.27, 0.24, 0.26]) * thick
    angle = bend * s
    path = np.column_stack([length / bend * np.sin(angle), length / bend * (1 - np.cos(angle)), _FLAT * girth])
    # Five flat sides, as bananas have.
    rings = sections_along(path, np.column_stack([girth, girth]), (0.0, 0.0, 1.0), 15)
    yellow = paint(rng, ((0.93, 0.8, 0.2), (0.85, 0.82, 0.3)), 0.04)
    brown, green = np.array((0.3, 0.2, 0.1)), np.array((0.5, 0.62, 0.2))
    v = 1 - (np.arange(SIDE)[:, None] + 0.5) / SIDE
    ends = np.clip(np.maximum(0.06 - v, v - 0.95) / 0.03, 0, 1) + 0 * noise(rng, (1, 1))
    spots = (noise(rng, (40, 24)) > 1 - rng.uniform(0.02, 0.2)) * 0.8
    skin = mixed(
        mixed(yellow, green, np.clip(abs(v - 0.5) * 2 - 0.6, 0, 1) * rng.uniform(0, 1.5) + np.zeros((SIDE, SIDE))),
        brown,
        spots,
    )
    stem, tip, middle = path[-1], path[0], path[6]
    return Form(
        shells=[capped(rings)],
        looks=[image(mixed(skin, brown, ends))],
        parts=segments(rings[[1, 3, 5, 7, 9, 11, 13]]),
        density=950.0,
        color=yellow,
        keypoints={
            "stem": tuple(stem.tolist()),
            "tip": tuple(tip.tolist()),
            "middle": tuple(rings[6, 4].tolist()),
        },
        grips=[along(float(middle[0]), float(thick), 2 * float(thick), float(middle[1]))],
    )


FAMILY = Family(_banana, ("stem", "tip", "middle"))
