"""A ball with panels, bands or dots."""

import numpy as np

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form, Image
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import SIDE, image, mixed, noise, paint
from simworld.assets.forming.shells import revolved
from simworld.assets.index import SymmetryAxis
from simworld.geometry import Vec3
from simworld.streams import Generator

_AXES: tuple[Vec3, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def _panels(rng: Generator, color: Vec3) -> Image:
    y, x = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE, indexing="ij")
    match int(rng.integers(4)):
        case 0:
            share = ((x * 2 * int(rng.integers(2, 5))) % 2 < 1) * 1.0
        case 1:
            share = (abs(y - 0.5) < rng.uniform(0.05, 0.2)) * 1.0
        case 2:
            share = (noise(rng, (7, 8)) > 0.68) * 1.0
        case _:
            share = (abs(y - 0.5 - 0.22 * np.sin(4 * np.pi * x)) < 0.03) * 1.0
    return image(mixed(color, paint(rng), share))


def _ball(rng: Generator) -> Form:
    radius, color = rng.uniform(0.02, 0.034), paint(rng)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 17)
    profile = radius * np.column_stack([np.cos(angles), np.sin(angles)])
    felt = [(float(r), float(z)) for r, z in profile[1:-1]]
    return Form(
        shells=[revolved(profile)],
        looks=[_panels(rng, color)],
        parts=[lathe(felt, 24)],
        density=rng.uniform(250.0, 900.0),
        color=color,
        keypoints={"top": (0.0, 0.0, radius)},
        axes=[SymmetryAxis(axis=axis, offset=(0.0, 0.0, 0.0)) for axis in _AXES],
        grips=across(2 * radius, 0.0),
    )


FAMILY = Family(_ball, ("top",), rolls=True)
