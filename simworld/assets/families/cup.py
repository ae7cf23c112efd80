"""A cup without a handle, of paper or plastic, wider above."""

from simworld.assets.forming.convex import lathe, ring
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import at_wall
from simworld.assets.forming.painting import glazed, paint, printed
from simworld.assets.forming.shells import turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator


def _cup(rng: Generator) -> Form:
    radius, height, wall = rng.uniform(0.032, 0.042), rng.uniform(0.07, 0.11), rng.uniform(0.002, 0.003)
    foot, floor = rng.uniform(0.65, 0.85) * radius, 0.004
    low = foot - wall
    inner, color = radius - wall, paint(rng)
    edge, top = radius + 0.001, height + 0.002
    hollow = [(edge, height), (edge, top), (inner, top), (low, floor), (0.0, floor)]
    plain, skin = 0, 1
    image = printed(rng, color, aspect=6.28 * radius / height) if rng.random() < 0.5 else glazed(rng, color)
    runs = [(plain, [(0.0, 0.0), (foot, 0.0)]), (skin, [(radius, height)]), (plain, hollow)]
    return Form(
        shells=[turned(runs)],
        looks=[paint(rng, (color, (0.93, 0.93, 0.9))), image],
        parts=[
            lathe([(foot, 0.0), (foot, floor)]),
            *ring([(foot, 0.0), (radius, height)], [(low, 0.0), (inner, height)]),
        ],
        density=1200.0,
        color=color,
        keypoints={"rim": (radius, 0.0, top), "bottom": (0.0, 0.0, 0.0)},
        axes=ABOUT_Z,
        grips=at_wall(radius - wall / 2 - 0.002, height, wall + 0.002),
    )


FAMILY = Family(_cup, ("rim", "bottom"))
