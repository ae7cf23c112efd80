"""An apple with a stem, on its bottom."""

import numpy as np

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint, skin
from simworld.assets.forming.shells import revolved, turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator

_GROUNDS = ((0.75, 0.1, 0.12), (0.55, 0.7, 0.2), (0.88, 0.75, 0.25))
_BLUSHES = ((0.6, 0.05, 0.1), (0.8, 0.2, 0.12), (0.75, 0.65, 0.2))


def _apple(rng: Generator) -> Form:
    radius, tall, top = rng.uniform(0.029, 0.034), rng.uniform(0.8, 0.98), rng.uniform(0.05, 0.2)
    angles = np.linspace(np.pi, 0.0, 21)
    r = radius * np.sin(angles) * (1 + top * np.cos(angles))
    r *= radius / r.max()
    dimples = 0.28 * np.exp(-((angles / 0.4) ** 2)) - 0.14 * np.exp(-(((np.pi - angles) / 0.35) ** 2))
    z = radius * (tall * np.cos(angles) - dimples)
    base, stem = paint(rng, _GROUNDS), float(z[-1]) + rng.uniform(0.012, 0.018)
    low = float(z.min())
    rows = [*range(int(z.argmin()), int(z.argmax()) + 1, 2), int(z.argmax())]
    profile = [(float(r[k]), float(z[k])) for k in dict.fromkeys(rows)]
    thin = [(0.0, float(z[-1]) - 0.002), (0.0012, float(z[-1]) - 0.002), (0.0016, stem), (0.0, stem)]
    return Form(
        shells=[revolved(np.column_stack([r, z])), turned([(1, thin)], around=8)],
        looks=[skin(rng, base, paint(rng, _BLUSHES)), (0.35, 0.25, 0.12)],
        parts=[lathe(profile)],
        density=800.0,
        color=base,
        keypoints={"stem": (0.0, 0.0, stem), "bottom": (0.0, 0.0, float(z[0]))},
        axes=ABOUT_Z,
        grips=across(2 * radius, 2 * low),
    )


FAMILY = Family(_apple, ("stem", "bottom"), rolls=True)
