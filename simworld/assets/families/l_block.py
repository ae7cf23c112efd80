"""An L of wood that lies, its long arm towards x."""

from simworld.assets.forming.form import Family, Form
from simworld.assets.forming.polyomino import polyomino
from simworld.streams import Generator


def _block(rng: Generator) -> Form:
    return polyomino(rng, [(0, 3, 0, 1), (0, 1, 1, 2)], (1.5, 0.5, 1.0), [])


FAMILY = Family(_block, ("end", "top"))
