"""A jar of glass with a label and a screwed lid."""

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint, printed
from simworld.assets.forming.shells import rounded, turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator

_CONTENTS = ((0.7, 0.1, 0.12), (0.85, 0.55, 0.12), (0.45, 0.25, 0.12), (0.4, 0.5, 0.15), (0.9, 0.85, 0.7))


def _jar(rng: Generator) -> Form:
    radius, body, lid = rng.uniform(0.027, 0.034), rng.uniform(0.055, 0.09), rng.uniform(0.012, 0.018)
    cap, top, low, up = rng.uniform(0.82, 0.97) * radius, body + lid, 0.2 * body, 0.8 * body
    inside, cover = paint(rng, _CONTENTS), paint(rng)
    foot = rounded([(0.0, 0.0), (radius, 0.0), (radius, low)], 0.006)
    shoulder = rounded([(radius, up), (radius, body), (cap - 0.002, body)], 0.006)
    edge = rounded([(cap, body), (cap, top), (0.0, top)], 0.002)
    return Form(
        shells=[turned([(0, foot), (1, shoulder[:1]), (0, shoulder[1:]), (2, edge)])],
        looks=[inside, printed(rng, paint(rng), aspect=6.28 * radius / (up - low)), cover],
        parts=[
            lathe([(radius - 0.004, 0.0), (radius, 0.005), (radius, body - 0.004), (radius - 0.005, body)]),
            lathe([(cap, body), (cap, top)]),
        ],
        density=rng.uniform(400.0, 1000.0),
        color=inside,
        keypoints={"lid": (0.0, 0.0, top), "bottom": (0.0, 0.0, 0.0), "label": (radius, 0.0, body / 2)},
        axes=ABOUT_Z,
        grips=[*across(2 * cap, top), *across(2 * radius, body)],
    )


FAMILY = Family(_jar, ("lid", "bottom", "label"), held_out=True)
