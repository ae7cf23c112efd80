"""A bowl of glazed ceramic: round, hollow, on a foot."""

import numpy as np

from simworld.assets.forming.convex import lathe, ring
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import at_wall
from simworld.assets.forming.painting import glazed, paint
from simworld.assets.forming.shells import turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator


def _bowl(rng: Generator) -> Form:
    radius, height, wall = rng.uniform(0.05, 0.075), rng.uniform(0.04, 0.06), rng.uniform(0.004, 0.006)
    foot, floor = rng.uniform(0.45, 0.6) * radius, 0.007
    angles = np.linspace(0.0, np.pi / 2, 9)
    outer = np.column_stack([foot + (radius - foot) * np.sin(angles), 0.003 + (height - 0.003) * (1 - np.cos(angles))])
    inner = outer * (1, 1) - (wall, 0.0)
    inner[:, 1] = floor + (height - floor) * (1 - np.cos(angles))
    color = paint(rng)
    outside, inside = outer.tolist(), inner[::-1].tolist()
    walls = [(float(outer[k, 0]), float(outer[k, 1])) for k in (0, 3, 8)]
    hollow = [(float(inner[k, 0]), float(outer[k, 1])) for k in (0, 3, 8)]
    return Form(
        shells=[turned([(0, [(0.0, 0.0), (foot, 0.0)]), (1, [*outside, *inside, (0.0, floor)])], around=40)],
        looks=[color, glazed(rng, color)],
        parts=[lathe([(foot, 0.0), (foot, floor)]), *ring(walls, hollow)],
        density=2300.0,
        color=color,
        keypoints={"rim": (radius - wall / 2, 0.0, height), "center": (0.0, 0.0, floor), "bottom": (0.0, 0.0, 0.0)},
        axes=ABOUT_Z,
        grips=at_wall(radius - wall / 2 - 0.002, height, wall + 0.002),
    )


FAMILY = Family(_bowl, ("rim", "center", "bottom"))
