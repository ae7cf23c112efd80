"""Groups of triangles in metres, as the rasterizer holds them."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Vec3
from simworld.kernels import kernel
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

Float = NDArray[np.float32]
Whole = NDArray[np.int32]


class Submesh(NamedTuple):
    """One group of a surface's triangles as Geometry holds them."""

    vertices: Float
    triangles: Whole
    normals: Float
    axes: Whole
    facets: Float
    sphere: Float
    closed: bool
    coordinates: Float | None


@lru_cache(maxsize=256)
def scaled(mesh: TriangleMesh, size: Vec3) -> Submesh:
    """The triangles of a mesh whose file's unit is `size` metres along each axis."""
    vertices = np.empty(mesh.vertices.shape, dtype=np.float32)
    triangles = mesh.triangles.astype(np.int32)
    normals, axes = np.empty((len(triangles), 3, 3), dtype=np.float32), np.empty(len(triangles), dtype=np.int32)
    facets, sphere = np.empty((len(triangles), 4), dtype=np.float32), np.empty(4, dtype=np.float32)
    fill_scaled(mesh.vertices, mesh.triangles, mesh.normals, size, vertices, normals, axes, facets, sphere)
    coordinates = None if mesh.coordinates is None else mesh.coordinates.astype(np.float32)
    return Submesh(vertices, triangles, normals, axes, facets, sphere, mesh.closed, coordinates)


@kernel
def fill_scaled(
    points: Any,
    corners: Any,
    directions: Any,
    size: Any,
    vertices: Any,
    normals: Any,
    axes: Any,
    facets: Any,
    sphere: Any,
) -> None:
    """Fill `vertices` (n, 3) with `points` times `size`, and what is a submesh's of its triangles `corners` (m, 3).

    `normals` (m, 3, 3) are `directions` turned with the surface, `axes` (m,) those along which triangles look most,
    `facets` (m, 4) their planes, and `sphere` (x, y, z, radius) is around all.
    """
    x, y, z = size
    even = x == y == z
    for k in range(len(points)):
        vertices[k, 0], vertices[k, 1], vertices[k, 2] = points[k, 0] * x, points[k, 1] * y, points[k, 2] * z
    for t in range(len(corners)):
        a, b, c = points[corners[t, 0]], points[corners[t, 1]], points[corners[t, 2]]
        ux, uy, uz = b[0] * x - a[0] * x, b[1] * y - a[1] * y, b[2] * z - a[2] * z
        vx, vy, vz = c[0] * x - a[0] * x, c[1] * y - a[1] * y, c[2] * z - a[2] * z
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-30)
        facets[t, 0], facets[t, 1], facets[t, 2] = nx / length, ny / length, nz / length
        facets[t, 3] = (nx * a[0] * x + ny * a[1] * y + nz * a[2] * z) / length
        nx, ny, nz = abs(nx), abs(ny), abs(nz)
        axes[t] = (0 if nx >= nz else 2) if nx >= ny else (1 if ny >= nz else 2)
        for k in range(3):
            n = directions[t, k]
            nx, ny, nz = n[0], n[1], n[2]
            if not even:
                nx, ny, nz = nx / x, ny / y, nz / z
                length = np.sqrt(nx * nx + ny * ny + nz * nz)
                nx, ny, nz = nx / length, ny / length, nz / length
            normals[t, k, 0], normals[t, k, 1], normals[t, k, 2] = nx, ny, nz
    square = 0.0
    for axis in range(3):
        low, high = np.inf, -np.inf
        for k in range(len(points)):
            low, high = min(low, points[k, axis]), max(high, points[k, axis])
        sphere[axis] = (low * size[axis] + high * size[axis]) / 2
    for k in range(len(points)):
        dx, dy, dz = points[k, 0] * x - sphere[0], points[k, 1] * y - sphere[1], points[k, 2] * z - sphere[2]
        square = max(square, dx * dx + dy * dy + dz * dz)
    sphere[3] = np.sqrt(square) * 1.0001 + 1e-6
