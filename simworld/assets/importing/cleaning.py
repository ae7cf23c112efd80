"""Meshes as files have them made sound: welded, without what has no area, of few triangles, closed if that is easy."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.assets.importing.colors import reduced
from simworld.assets.importing.mesh_reading import MeshData, needed
from simworld.errors import ConfigurationError
from simworld.geometry import Array

MOST_TRIANGLES = 20_000
"""How many triangles the mesh that is seen keeps."""

_GRID = 1 << 20
"""Steps along the largest side within which vertices are one."""

_FLAT = 1e-10
"""A triangle's area over its longest side squared, below which it is a line."""


class Sound(NamedTuple):
    """A mesh that can be measured: `closed` ones enclose a volume. `notes` say what was wrong and what was done."""

    vertices: Array
    triangles: NDArray[np.int64]
    colors: Array
    closed: bool
    notes: tuple[str, ...]


def cleaned(mesh: MeshData, most: int = MOST_TRIANGLES) -> Sound:
    """A mesh with at most about `most` triangles. ConfigurationError where nothing of it has an area."""
    notes = [f"{name} is not there, and is left out" for name in mesh.missing]
    vertices, triangles, colors = _welded(mesh, notes)
    if len(triangles) > most:
        notes.append(f"{len(triangles):,} triangles simplified to about {most:,}")
        vertices, triangles, colors = _simplified(vertices, triangles, colors, most)
    triangles, colors = _once(triangles, colors, notes)
    count = len(np.unique(colors[~np.isnan(colors[:, 0])], axis=0))
    colors = reduced(colors)
    if count > (kept := len(np.unique(colors[~np.isnan(colors[:, 0])], axis=0))):
        notes.append(f"{count:,} colours reduced to {kept}, one for each triangle")
    return _mended(vertices, triangles, colors, notes)


def _welded(mesh: MeshData, notes: list[str]) -> tuple[Array, NDArray[np.int64], Array]:
    """Vertices at one place as one, without the triangles that are none then."""
    low = mesh.vertices.min(axis=0)
    size = float(np.ptp(mesh.vertices[np.unique(mesh.triangles)], axis=0).max())
    if not 0 < size < 1e30:
        raise ConfigurationError("no face of it has an area")
    x, y, z = np.clip(np.rint((mesh.vertices - low) / size * _GRID), 0, 2 * _GRID - 1).astype(np.int64).T
    _, first, which = np.unique((x << 42) | (y << 21) | z, return_index=True, return_inverse=True)
    triangles = which[mesh.triangles].astype(np.int64)
    a, b, c = triangles.T
    kept = (a != b) & (b != c) & (c != a)
    if not kept.all():
        notes.append(f"{int((~kept).sum()):,} of {len(kept):,} triangles have no area, and are left out")
    # Those that are lines stay: without them what they join would be open.
    if not _has_area(mesh.vertices[first], triangles[kept]).any():
        raise ConfigurationError("no face of it has an area")
    return (*_used(mesh.vertices[first], triangles[kept]), mesh.colors[kept])


def _once(triangles: NDArray[np.int64], colors: Array, notes: list[str]) -> tuple[NDArray[np.int64], Array]:
    """No triangle twice, whichever way it faces."""
    _, first = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    if len(first) < len(triangles):
        notes.append(f"{len(triangles) - len(first):,} triangles are there twice, and are kept once")
    first.sort()
    return triangles[first], colors[first]


def _simplified(
    vertices: Array, triangles: NDArray[np.int64], colors: Array, most: int
) -> tuple[Array, NDArray[np.int64], Array]:
    """Fewer triangles by quadric collapses; each has the colour of the nearest one before."""
    fewer: Any = needed("fast_simplification").simplify(vertices, triangles.astype(np.int32), target_count=most)
    found, rows = np.asarray(fewer[0], dtype=float), np.asarray(fewer[1], dtype=np.int64)
    return (*_used(found, rows), colors[_nearest(vertices[triangles].mean(axis=1), found[rows].mean(axis=1))])


def _mended(vertices: Array, triangles: NDArray[np.int64], colors: Array, notes: list[str]) -> Sound:
    """All faces facing outwards, and small holes filled."""
    trimesh = needed("trimesh")
    mesh = trimesh.Trimesh(vertices, triangles, process=False)
    trimesh.repair.fix_normals(mesh, multibody=True)
    turned = int((np.asarray(mesh.faces) != triangles).any(axis=1).sum())
    if turned:
        notes.append(f"{turned:,} triangles faced the wrong side, and are turned")
    if not mesh.is_watertight:
        trimesh.repair.fill_holes(mesh)
        added = len(mesh.faces) - len(triangles)
        if added:
            notes.append(f"holes are filled with {added:,} triangles")
            middles = mesh.triangles_center
            near = _nearest(middles[: len(triangles)], middles[len(triangles) :])
            colors = np.concatenate([colors, colors[near]])
    closed = bool(mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0)
    if not closed:
        notes.append("it is not closed: its volume is that of its convex pieces")
    return Sound(np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64), colors, closed, tuple(notes))


def _has_area(vertices: Array, triangles: NDArray[np.int64]) -> NDArray[np.bool_]:
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    longest = np.max([((b - a) ** 2).sum(1), ((c - b) ** 2).sum(1), ((a - c) ** 2).sum(1)], axis=0)
    kept: NDArray[np.bool_] = np.linalg.norm(np.cross(b - a, c - a), axis=1) > _FLAT * longest
    return kept


def _used(vertices: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    index, local = np.unique(triangles, return_inverse=True)
    return vertices[index], local.reshape(-1, 3).astype(np.int64)


def _nearest(points: Array, of: Array) -> NDArray[np.int64]:
    """Which of `points` is the nearest to each of `of`."""
    tree: Any = needed("scipy.spatial").cKDTree(points)
    return np.asarray(tree.query(of)[1], dtype=np.int64)
