"""A mug of glazed ceramic: a wall, a floor, and a handle towards x."""

from math import pi

import numpy as np

from simworld.assets.forming.convex import lathe, ring, segments
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import at_wall
from simworld.assets.forming.painting import glazed, paint
from simworld.assets.forming.shells import capped, revolved, rounded, sections_along
from simworld.streams import Generator


def _mug(rng: Generator) -> Form:
    radius, height = rng.uniform(0.035, 0.046), rng.uniform(0.075, 0.11)
    foot, wall, floor = radius * rng.uniform(0.8, 1.0), rng.uniform(0.0035, 0.005), 0.006
    inner, inner_foot = radius - wall, foot - wall
    color = paint(rng)
    outside = rounded([(0.0, 0.0), (foot, 0.0), (radius, height)], 0.008)
    inside = rounded([(inner, height), (inner_foot, floor), (0.0, floor)], 0.012)
    body = revolved([*outside, *inside])
    reach, half = rng.uniform(0.022, 0.032), rng.uniform(0.2, 0.33) * height
    angles = np.linspace(-0.5 * pi, 0.5 * pi, 13)
    middle = 0.52 * height
    start = np.interp(middle + half * np.sin(angles), (0.0, height), (foot, radius)) - 0.7 * wall
    path = np.column_stack([start + reach * np.cos(angles) ** 0.7, 0 * angles, middle + half * np.sin(angles)])
    thick = np.tile((rng.uniform(0.005, 0.008), rng.uniform(0.0035, 0.005)), (13, 1))
    rings = sections_along(path, thick, (0.0, 1.0, 0.0), 12)
    tip = float(path[6, 0] + thick[6, 1])
    return Form(
        shells=[body, capped(rings, 1)],
        looks=[glazed(rng, color), color],
        parts=[
            lathe([(foot - 0.004, 0.0), (foot, 0.004), (foot, floor)]),
            *ring([(foot, 0.004), (radius, height)], [(inner_foot, 0.004), (inner, height)]),
            *segments(rings, 2),
        ],
        density=2000.0,
        color=color,
        keypoints={"rim": (-radius + wall / 2, 0.0, height), "handle": (tip, 0.0, middle), "bottom": (0.0, 0.0, 0.0)},
        grips=at_wall(radius - wall / 2, height, wall),
    )


FAMILY = Family(_mug, ("rim", "handle", "bottom"), category="mug")
