"""Packages whose names depend on the Python that runs."""

import sys

BULLET = "pybullet" if sys.version_info < (3, 12) else "pybullet-arm64"
"""The package that brings Bullet, as pyproject.toml has it."""
