"""A T of wood that lies, its stem towards x."""

from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.polyomino import polyomino
from simworld.assets.forming.symmetries import turns_about
from simworld.streams import Generator


def _block(rng: Generator) -> Form:
    return polyomino(rng, [(0, 1, -1, 2), (1, 3, 0, 1)], (1.6, 0.5, 1.0), turns_about(0, 2))


FAMILY = Family(_block, ("end", "top"))
