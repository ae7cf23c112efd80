"""A cylinder that stands; it is as deep as it is wide."""

from simworld.assets.recipe import Generator, Rod
from simworld.geometry import Vec3


def _cylinder(size: Vec3, seed: int) -> tuple[Rod]:
    width, _, height = size
    return (Rod(width / 2, height),)


GENERATOR = Generator(_cylinder, tags=("primitive", "rolling", "flat"), rolls=True)
