"""A book that lies with its title upwards, to be read with x to the right; too wide to be taken from above."""

import numpy as np

from simworld.assets.forming.convex import block
from simworld.assets.forming.form import Family, Form, Image
from simworld.assets.forming.grips import along
from simworld.assets.forming.painting import SIDE, disc, image, name, paint, write
from simworld.assets.forming.shells import rounded_box
from simworld.assets.forming.symmetries import turns_about
from simworld.geometry import Vec3
from simworld.streams import Generator


def _cover(rng: Generator, base: Vec3, aspect: float) -> Image:
    canvas = np.broadcast_to(np.array(base), (2 * SIDE, 2 * SIDE, 3)).copy()
    ink = paint(rng, ((0.97, 0.97, 0.95), (0.1, 0.1, 0.12), (0.95, 0.8, 0.15)), 0.02)
    margin = int(rng.integers(8, 20))
    canvas[margin:-margin, margin:-margin] = paint(rng, (base, *[base] * 2, (0.9, 0.88, 0.8)))
    disc(canvas, (0.5, rng.uniform(0.55, 0.75)), rng.uniform(0.1, 0.2), paint(rng), aspect)
    write(canvas, name(rng), (0.5, 0.2), 0.14, ink)
    write(canvas, name(rng), (0.5, 0.34), 0.08, ink)
    write(canvas, name(rng), (0.5, 0.92), 0.05, ink)
    return image(canvas)


def _book(rng: Generator) -> Form:
    width, length, thick = rng.uniform(0.085, 0.12), rng.uniform(0.12, 0.16), rng.uniform(0.014, 0.035)
    board, base = 0.0025, paint(rng)
    paper, cover, plain = 0, 1, 2
    pages = rounded_box((width - 0.004, length - 0.008, thick - 2 * board), 0.001, paper, steps=1).moved(-0.001)
    back = rounded_box((width, length, board), 0.001, plain, steps=1).moved(z=(board - thick) / 2)
    front = rounded_box((width, length, board), 0.001, [plain] * 5 + [cover], steps=1).moved(z=(thick - board) / 2)
    spine = rounded_box((board, length, thick - 2 * board), 0.0005, plain, steps=1).moved((board - width) / 2)
    return Form(
        shells=[pages, back, front, spine],
        looks=[(0.93, 0.91, 0.84), _cover(rng, base, width / length), base],
        parts=[block((width, length, thick))],
        density=750.0,
        color=base,
        keypoints={
            "front": (0.0, 0.0, thick / 2),
            "spine": (-width / 2, 0.0, 0.0),
            "corner": (width / 2 - 0.001, length / 2 - 0.001, thick / 2),
        },
        turns=turns_about(0, 2),
        grips=[along(0.0, 0.0, length)],
    )


FAMILY = Family(_book, ("front", "spine", "corner"), graspable=False)
