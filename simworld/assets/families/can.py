"""A can with a printed wall, standing: lids of metal, a little narrower than the wall."""

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import STEEL, paint, printed
from simworld.assets.forming.shells import revolved
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator


def _can(rng: Generator) -> Form:
    radius, height = rng.uniform(0.024, 0.034), rng.uniform(0.07, 0.13)
    neck, rim = 0.9 * radius, 0.006
    base = paint(rng)
    profile = [
        *((0.0, 0.002), (neck - 0.003, 0.002), (neck - 0.001, 0.0), (radius, rim), (radius, height - rim)),
        *((neck, height), (neck - 0.002, height), (neck - 0.003, height - 0.003), (0.0, height - 0.003)),
    ]
    metal, label = 0, 1
    looks = [metal, metal, metal, label, metal, metal, metal, metal]
    return Form(
        shells=[revolved(profile, looks)],
        looks=[STEEL, printed(rng, base, aspect=6.28 * radius / height)],
        parts=[lathe([(neck, 0.0), (radius, rim), (radius, height - rim), (neck, height)])],
        density=rng.uniform(250.0, 600.0),
        color=base,
        keypoints={"top": (0.0, 0.0, height - 0.003), "bottom": (0.0, 0.0, 0.002), "label": (radius, 0.0, height / 2)},
        axes=ABOUT_Z,
        grips=across(2 * radius, height),
    )


FAMILY = Family(_can, ("top", "bottom", "label"))
