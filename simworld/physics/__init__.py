"""Where things move: the only package, with the PyBullet renderer, that imports PyBullet."""

from simworld.physics.controllers.ee import EndEffectorControl
from simworld.physics.substeps import CONTROL_HZ
from simworld.physics.world import World

__all__ = ["CONTROL_HZ", "EndEffectorControl", "World"]
