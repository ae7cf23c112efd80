"""A cuboid."""

from simworld.assets.recipe import Block, Generator
from simworld.geometry import Vec3


def _cuboid(size: Vec3, seed: int) -> tuple[Block]:
    width, depth, height = size
    return (Block((width / 2, depth / 2, height / 2)),)


GENERATOR = Generator(_cuboid, tags=("primitive", "flat"), flat_sided=True)
