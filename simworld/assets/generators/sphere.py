"""A sphere; it is as deep and as high as it is wide."""

from simworld.assets.recipe import Ball, Generator
from simworld.geometry import Vec3


def _sphere(size: Vec3, seed: int) -> tuple[Ball]:
    return (Ball(size[0] / 2),)


GENERATOR = Generator(_sphere, tags=("primitive", "rolling"), rolls=True)
