"""Generated objects: they have the size that was asked for, whichever one of their kind they are."""

import numpy as np
import pytest

from simworld.assets.generators import GENERATORS
from simworld.assets.recipe import Ball, Block, Piece

SIZE = (0.05, 0.04, 0.06)


def ends(piece: Piece) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest coordinates (3,) of a piece."""
    if isinstance(piece, Block):
        half = np.array(piece.half_extents)
    elif isinstance(piece, Ball):
        half = np.full(3, piece.radius)
    else:
        half = np.array([piece.radius, piece.radius, piece.height / 2])
    return np.array(piece.position) - half, np.array(piece.position) + half


@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1])
@pytest.mark.parametrize("kind", GENERATORS)
def test_an_object_is_as_large_as_asked_and_in_the_middle(kind: str, seed: int) -> None:
    pieces = GENERATORS[kind].generate(SIZE, seed)
    low, high = (np.array(side) for side in zip(*map(ends, pieces), strict=True))
    size = high.max(axis=0) - low.min(axis=0)
    wide = {"sphere": (SIZE[0],) * 3, "cylinder": (SIZE[0], SIZE[0], SIZE[2])}.get(kind, SIZE)
    assert size == pytest.approx(wide)
    assert high.max(axis=0) == pytest.approx(np.array(wide) / 2)


@pytest.mark.parametrize("kind", [kind for kind, generator in GENERATORS.items() if generator.seeded])
def test_seeds_make_different_ones(kind: str) -> None:
    made = {GENERATORS[kind].generate(SIZE, seed) for seed in range(20)}
    assert len(made) == 20 and GENERATORS[kind].generate(SIZE, 3) in made
