"""A U of wood that lies, open towards x."""

from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.polyomino import polyomino
from simworld.assets.forming.symmetries import turns_about
from simworld.streams import Generator


def _block(rng: Generator) -> Form:
    return polyomino(rng, [(0, 1, 0, 3), (1, 2, 0, 1), (1, 2, 2, 3)], (0.5, 1.5, 3.0), turns_about(0, 2))


FAMILY = Family(_block, ("end", "top"), held_out=True)
