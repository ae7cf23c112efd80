"""Meshes that are kept in their canonical frame: how their files are called, and what is alike in all their rows."""

from collections.abc import Mapping
from typing import Any

from simworld.assets.index import Row, digest_of
from simworld.geometry import IDENTITY

VISUAL, MATERIALS, COLLISION = "visual.obj", "visual.mtl", "collision.obj"

MARGIN = 0.001
"""Metres by which Bullet keeps convex parts apart from what they rest on."""


def canonical_row(files: Mapping[str, bytes], **said: Any) -> Row:
    """The row of a mesh of some files by name, which are as it lies on a table, in metres, about its centre of mass."""
    row = Row(
        **said,
        digest="0" * 32,
        visual=VISUAL,
        collision=COLLISION,
        others=tuple(name for name in files if name not in (VISUAL, COLLISION)),
        scale=1.0,
        center=(0.0, 0.0, 0.0),
        orientation=IDENTITY,
    )
    return row.model_copy(update={"digest": digest_of(row, files.__getitem__)})
