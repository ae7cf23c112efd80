"""A carton of milk or juice with a gable top, its front towards x."""

import numpy as np

from simworld.assets.forming.convex import block
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import paint, printed
from simworld.assets.forming.shells import capped
from simworld.assets.forming.symmetries import turns_about
from simworld.streams import Generator


def _carton(rng: Generator) -> Form:
    side, height = rng.uniform(0.048, 0.066), rng.uniform(0.085, 0.16)
    gable, fin, thin = 0.38 * side, 0.012, 0.004
    base = paint(rng)
    top = height + gable

    def level(x: float, y: float, z: float) -> list[tuple[float, float, float]]:
        return [(x, -y, z), (x, y, z), (-x, y, z), (-x, -y, z)]

    half = side / 2
    levels = [
        level(half, half, 0.0),
        level(half, half, height),
        level(thin / 2, half, top),
        level(thin / 2, half, top + fin),
    ]
    rings = np.array(levels)
    white, label = 0, 1
    return Form(
        shells=[capped(rings, [white, label, white, white, white])],
        looks=[
            paint(rng, ((0.93, 0.93, 0.9), base), 0.02),
            printed(rng, base, 4 * side / height, faces=4, front=0.125),
        ],
        parts=[block((side, side, height), (0.0, 0.0, height / 2)), capped(rings[1:3]), capped(rings[2:])],
        density=rng.uniform(150.0, 500.0),
        color=base,
        keypoints={"front": (half, 0.0, height / 2), "fin": (0.0, 0.0, top + fin), "bottom": (0.0, 0.0, 0.0)},
        turns=turns_about(2, 2),
        grips=[along(0.0, top - fin, side)],
    )


FAMILY = Family(_carton, ("front", "fin", "bottom"))
