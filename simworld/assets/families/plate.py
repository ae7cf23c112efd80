"""A plate of glazed ceramic, too flat to be taken from above."""

from simworld.assets.forming.convex import lathe, ring
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import at_wall
from simworld.assets.forming.painting import glazed, paint
from simworld.assets.forming.shells import turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator


def _plate(rng: Generator) -> Form:
    radius, height, thick = rng.uniform(0.07, 0.1), rng.uniform(0.014, 0.022), rng.uniform(0.004, 0.006)
    foot, color = rng.uniform(0.55, 0.7) * radius, paint(rng)
    lip = radius - 0.002
    under = [(0.0, 0.0), (foot, 0.0), (lip, height - thick), (radius, height - thick / 2)]
    over = [(lip, height), (foot + 0.004, thick + 0.002), (foot - 0.004, thick), (0.0, thick)]
    return Form(
        shells=[turned([(0, under), (1, over)], around=48)],
        looks=[color, glazed(rng, color)],
        parts=[
            lathe([(foot, 0.0), (foot, thick)]),
            *ring([(foot + 0.003, 0.002), (lip, height)], [(foot - 0.006, 0.002), (lip - 2 * thick, height)], 12),
        ],
        density=2300.0,
        color=color,
        keypoints={"rim": (radius, 0.0, height - thick / 2), "center": (0.0, 0.0, thick), "bottom": (0.0, 0.0, 0.0)},
        axes=ABOUT_Z,
        grips=at_wall(lip, height, thick + 0.006),
    )


FAMILY = Family(_plate, ("rim", "center", "bottom"), graspable=False)
