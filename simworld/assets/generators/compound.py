"""A block with a smaller block or cylinder on it; the seed says which."""

import numpy as np

from simworld.assets.recipe import Block, Generator, Piece, Rod
from simworld.geometry import Vec3


def _compound(size: Vec3, seed: int) -> tuple[Piece, ...]:
    generator = np.random.default_rng(seed)
    width, depth, height = size
    low = float(generator.uniform(0.55, 0.75)) * height
    share, across, along = generator.uniform((0.35, -1.0, -1.0), (0.8, 1.0, 1.0)).tolist()
    half = (share * width / 2, share * depth / 2, (height - low) / 2)
    place = (across * (width / 2 - half[0]), along * (depth / 2 - half[1]), height / 2 - half[2])
    is_round = generator.random() < 0.5
    top = Rod(min(half[:2]), 2 * half[2], place) if is_round else Block(half, place)
    return (Block((width / 2, depth / 2, low / 2), (0.0, 0.0, (low - height) / 2)), top)


GENERATOR = Generator(_compound, tags=("flat",), seeded=True)
