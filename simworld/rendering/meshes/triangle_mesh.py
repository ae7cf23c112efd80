"""A mesh of triangles."""

from dataclasses import dataclass

from simworld.geometry import Array
from simworld.rendering.meshes.simplify.distance import Index


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A surface in its file's unit.

    `vertices` (n, 3) float64, welded by position; `triangles` (m, 3) int64, counterclockwise from outside; `normals`
    (m, 3, 3) float64, a unit one for each corner of each triangle. `closed`: every edge is run by exactly two triangles
    in opposite directions, and every shell encloses a positive volume or is a cavity of others, so that what faces away
    can be culled. `coordinates` (m, 3, 2) float64 say where in an image the corners are, if it has one: right and down
    from its upper left, its sides being 1, around which it repeats.
    """

    vertices: Array
    triangles: Index
    normals: Array
    closed: bool
    coordinates: Array | None = None
