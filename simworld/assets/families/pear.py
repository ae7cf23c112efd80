"""A pear with a stem, on its bottom."""

import numpy as np

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint, skin
from simworld.assets.forming.shells import revolved, turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator

_GROUNDS = ((0.72, 0.75, 0.25), (0.85, 0.75, 0.3), (0.55, 0.65, 0.22))
_BLUSHES = ((0.7, 0.3, 0.15), (0.65, 0.6, 0.2), (0.55, 0.4, 0.2))


def _pear(rng: Generator) -> Form:
    radius, height, neck = rng.uniform(0.028, 0.034), rng.uniform(0.07, 0.085), rng.uniform(0.35, 0.5)
    t = np.array([0.0, 0.0, 0.03, 0.08, 0.16, 0.26, 0.36, 0.46, 0.56, 0.66, 0.76, 0.86, 0.93, 0.98, 1.0])
    shape = [0.0, 0.45, 0.66, 0.82, 0.95, 1.0, 0.98, 0.9, 0.76, 0.62, 0.5, 0.42, 0.34, 0.2, 0.0]
    r = radius * np.array(shape) * np.where(t > 0.5, 1 + (neck - 0.42) * (t - 0.5), 1)
    z = height * t
    base, stem = paint(rng, _GROUNDS), height + rng.uniform(0.004, 0.007)
    profile = [(float(x), float(y)) for x, y in zip(r, z, strict=True)]
    thin = [(0.0, height - 0.002), (0.0012, height - 0.002), (0.0016, stem), (0.0, stem)]
    return Form(
        shells=[revolved(np.column_stack([r, z])), turned([(1, thin)], around=8)],
        looks=[skin(rng, base, paint(rng, _BLUSHES)), (0.35, 0.25, 0.12)],
        parts=[lathe(profile[1:8]), lathe(profile[7:9]), lathe(profile[8:11:2]), lathe(profile[10:14])],
        density=800.0,
        color=base,
        keypoints={"stem": (0.0, 0.0, stem), "bottom": (0.0, 0.0, 0.0)},
        axes=ABOUT_Z,
        grips=across(1.75 * radius, 0.96 * height),
    )


FAMILY = Family(_pear, ("stem", "bottom"), held_out=True, rolls=True)
