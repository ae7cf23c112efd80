"""A toy brick with studs."""

from simworld.assets.forming.convex import block, lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint
from simworld.assets.forming.shells import rounded, rounded_box, turned
from simworld.assets.forming.symmetries import turns_about
from simworld.streams import Generator


def _brick(rng: Generator) -> Form:
    unit, long, wide = rng.uniform(0.013, 0.017), int(rng.integers(2, 5)), int(rng.integers(1, 3))
    height, radius, stud = unit * rng.uniform(0.9, 1.25), 0.32 * unit, 0.24 * unit
    size, color = (long * unit, wide * unit, height), paint(rng)
    places = [((i - (long - 1) / 2) * unit, (j - (wide - 1) / 2) * unit) for i in range(long) for j in range(wide)]
    profile = rounded([(0.0, -0.001), (radius, -0.001), (radius, stud), (0.0, stud)], 0.001, 2)
    one, felt = turned([(0, profile)], around=20), lathe([(radius, 0.0), (radius, stud)], 8)
    return Form(
        shells=[rounded_box(size, 0.0012), *(one.moved(x, y, height / 2) for x, y in places)],
        looks=[color],
        parts=[block(size), *(felt.moved(x, y, height / 2) for x, y in places)],
        density=900.0,
        color=color,
        keypoints={"end": (long * unit / 2, 0.0, 0.0), "top": (*places[-1], height / 2 + stud)},
        turns=turns_about(2, 4 if long == wide else 2),
        grips=across(wide * unit, 0.0),
    )


FAMILY = Family(_brick, ("end", "top"))
