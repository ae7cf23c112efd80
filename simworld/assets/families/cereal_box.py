"""A box of cereals that stands, its front towards x."""

import numpy as np

from simworld.assets.forming.convex import block
from simworld.assets.forming.form import Family, Form, Image
from simworld.assets.forming.grips import between
from simworld.assets.forming.painting import SIDE, image, name, paint, printed, write
from simworld.assets.forming.shells import rounded_box
from simworld.assets.forming.symmetries import group, turns_about
from simworld.geometry import Vec3
from simworld.streams import Generator

_FRONT, _SIDE = (0.01, 0.01, 0.64, 0.99), (0.68, 0.01, 0.99, 0.99)
"""Regions of the image."""


def _print(rng: Generator, base: Vec3, aspect: float) -> Image:
    """The front at the left, and a narrow side with its small print at the right."""
    front = printed(rng, base, aspect, faces=1, front=0.5)
    columns = np.arange(int(0.66 * 2 * SIDE)) * 2 * SIDE // int(0.66 * 2 * SIDE)
    canvas = np.broadcast_to(np.array(base), (2 * SIDE, 2 * SIDE, 3)).copy()
    canvas[:, : len(columns)] = front[:, columns] / 255
    side = canvas[:, len(columns) :]
    for row in range(6):
        write(side, name(rng), (0.5, 0.3 + 0.09 * row), 0.03, (0.1, 0.1, 0.1))
    return image(canvas)


def _cereal_box(rng: Generator) -> Form:
    depth, width, height = rng.uniform(0.035, 0.055), rng.uniform(0.08, 0.13), rng.uniform(0.12, 0.19)
    base = paint(rng)
    box = rounded_box((depth, width, height), 0.001, [0, 0, 0, 0, 1, 1], [_FRONT, _FRONT, *[_SIDE] * 4], steps=1)
    return Form(
        shells=[box],
        looks=[_print(rng, base, width / height), base],
        parts=[block((depth, width, height))],
        density=rng.uniform(80.0, 250.0),
        color=base,
        keypoints={"front": (depth / 2, 0.0, 0.0), "top": (0.0, 0.0, height / 2), "bottom": (0.0, 0.0, -height / 2)},
        turns=group(turns_about(2, 2)[0], turns_about(0, 2)[0]),
        grips=[between(depth, height / 2 - 0.03)],
    )


FAMILY = Family(_cereal_box, ("front", "top", "bottom"))
