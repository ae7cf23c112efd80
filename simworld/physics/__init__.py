"""Where things move: the only package, with the PyBullet renderer, that imports PyBullet."""

from simworld.physics.timing import Timing
from simworld.physics.world import World

__all__ = ["Timing", "World"]
