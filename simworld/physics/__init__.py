"""Where things move: the only package, with the PyBullet renderer, that imports PyBullet."""
