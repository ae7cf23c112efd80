"""A bottle that stands: a label around its body, a shoulder, a neck and a cap."""

from simworld.assets.forming.convex import lathe
from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.grips import across
from simworld.assets.forming.painting import paint, printed
from simworld.assets.forming.shells import rounded, turned
from simworld.assets.forming.symmetries import ABOUT_Z
from simworld.streams import Generator

_LIQUIDS = (
    (0.25, 0.45, 0.25),
    (0.4, 0.22, 0.1),
    (0.75, 0.85, 0.9),
    (0.85, 0.5, 0.15),
    (0.6, 0.1, 0.15),
    (0.9, 0.9, 0.88),
)


def _bottle(rng: Generator) -> Form:
    radius, body = rng.uniform(0.024, 0.034), rng.uniform(0.08, 0.12)
    neck, shoulder, length = rng.uniform(0.011, 0.014), rng.uniform(0.015, 0.04), rng.uniform(0.015, 0.035)
    high, cap, top = body + shoulder, neck + 0.003, body + shoulder + length + 0.016
    low, up = rng.uniform(0.1, 0.25) * body, rng.uniform(0.75, 0.95) * body
    glass, base = paint(rng, _LIQUIDS), paint(rng)
    clear, label, lid = 0, 1, 2
    foot = rounded([(0.0, 0.0), (radius, 0.0), (radius, low)], 0.006)
    bend = rounded([(radius, up), (radius, body), (neck, high), (neck, top - 0.016)], 0.006)
    shell = turned(
        [(clear, foot), (label, bend[:1]), (clear, bend[1:]), (lid, [(cap, top - 0.016), (cap, top), (0.0, top)])]
    )
    return Form(
        shells=[shell],
        looks=[glass, printed(rng, base, aspect=6.28 * radius / (up - low)), paint(rng)],
        parts=[
            lathe([(radius - 0.004, 0.0), (radius, 0.005), (radius, body - 0.003)]),
            lathe([(radius, body - 0.003), (neck, high)]),
        ]
        + [lathe([(neck, high), (neck, top - 0.016)]), lathe([(cap, top - 0.016), (cap, top)])],
        density=rng.uniform(250.0, 700.0),
        color=glass,
        keypoints={"cap": (0.0, 0.0, top), "bottom": (0.0, 0.0, 0.0), "label": (radius, 0.0, (low + up) / 2)},
        axes=ABOUT_Z,
        grips=[*across(2 * cap, top), *across(2 * radius, body)],
    )


FAMILY = Family(_bottle, ("cap", "bottom", "label"))
