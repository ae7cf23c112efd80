"""What things stand on in a scene: the floor, and the table."""

from collections.abc import Iterable

from simworld.geometry import IDENTITY
from simworld.scene.model import Body, Box
from simworld.scene.shapes import half_extents

_LEAST_TABLE = 0.25
"""Square metres from which on the upper face of a box is taken for a table."""


def floor_of(bodies: Iterable[Body]) -> Body | None:
    """The floor, which has no end, if there is one."""
    return next((body for body in bodies if body.endless), None)


def table_of(bodies: Iterable[Body]) -> Body | None:
    """The table: the highest fixed box whose upper face is large and level, if there is one."""
    return max(filter(_is_table, bodies), key=top_of, default=None)


def top_of(body: Body) -> float:
    """The height in metres of the upper end of what is one level shape."""
    part = body.parts[0]
    return body.position[2] + part.position[2] + half_extents(part.shape)[2]


def _is_table(body: Body) -> bool:
    if body.mass > 0 or body.container or body.endless or len(body.parts) > 1:
        return False
    part = body.parts[0]
    is_level = body.orientation[0] == body.orientation[1] == 0 and part.orientation == IDENTITY
    if not isinstance(part.shape, Box) or not is_level:
        return False
    x, y, _ = part.shape.half_extents
    return 4 * x * y >= _LEAST_TABLE
