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

_SEAM = 0.05
"""Share of an image within which places are taken to be on one side of a seam."""

_FLAT = 1e-10
"""A triangle's area over its longest side squared, below which it is a line."""


class Sound(NamedTuple):
    """A mesh that can be measured: `closed` ones enclose a volume. `notes` say what was wrong and what was done.

    `texture` (m, 3, 3) is as in MeshData.
    """

    vertices: Array
    triangles: NDArray[np.int64]
    colors: Array
    closed: bool
    notes: tuple[str, ...]
    texture: Array


def cleaned(mesh: MeshData, most: int = MOST_TRIANGLES) -> Sound:
    """A mesh with at most about `most` triangles. ConfigurationError where nothing of it has an area."""
    notes = [f"{name} is not there, and is left out" for name in mesh.missing]
    vertices, triangles, kept = _welded(mesh, notes)
    colors, texture = mesh.colors[kept], np.full((len(triangles), 3, 3), np.nan)
    if mesh.texture is not None:
        texture = mesh.texture[kept]
    if len(triangles) > most:
        notes.append(f"{len(triangles):,} triangles simplified to about {most:,}")
        given = vertices[triangles]
        vertices, triangles = _simplified(vertices, triangles, most)
        near = _nearest(given.mean(axis=1), vertices[triangles].mean(axis=1))
        colors = colors[near]
        texture = texture[near] if mesh.texture is None else _carried(given, texture, vertices[triangles], near)
    once = _once(triangles, notes)
    triangles, colors, texture = triangles[once], colors[once], texture[once]
    count = len(np.unique(colors[~np.isnan(colors[:, 0])], axis=0))
    colors = reduced(colors)
    if count > (fewer := len(np.unique(colors[~np.isnan(colors[:, 0])], axis=0))):
        notes.append(f"{count:,} colours reduced to {fewer}, one for each triangle")
    return _mended(vertices, triangles, colors, texture, notes)


def _welded(mesh: MeshData, notes: list[str]) -> tuple[Array, NDArray[np.int64], NDArray[np.bool_]]:
    """Vertices at one place as one, without the triangles that are none then; and which were kept."""
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
    return (*_used(mesh.vertices[first], triangles[kept]), kept)


def _once(triangles: NDArray[np.int64], notes: list[str]) -> NDArray[np.int64]:
    """Which triangles are there for the first time, whichever way they face."""
    _, first = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    if len(first) < len(triangles):
        notes.append(f"{len(triangles) - len(first):,} triangles are there twice, and are kept once")
    return np.sort(first)


def _simplified(vertices: Array, triangles: NDArray[np.int64], most: int) -> tuple[Array, NDArray[np.int64]]:
    """Fewer triangles by quadric collapses."""
    fewer: Any = needed("fast_simplification").simplify(vertices, triangles.astype(np.int32), target_count=most)
    return _used(np.asarray(fewer[0], dtype=float), np.asarray(fewer[1], dtype=np.int64))


def _carried(given: Array, texture: Array, corners: Array, near: NDArray[np.int64]) -> Array:
    """Where the corners (k, 3, 3) of triangles are in the texture (m, 3, 3) of `given` ones (m, 3, 3).

    It is where they are on the plane of a given one close by; of the one that is `near` (k,) to the whole triangle
    where that is far off in the image: on the other side of a seam.
    """
    inwards = corners + 0.25 * (corners.mean(axis=1, keepdims=True) - corners)
    close = _nearest(given.mean(axis=1), inwards.reshape(-1, 3))
    own = _on_plane(corners.reshape(-1, 3), given[close], texture[close]).reshape(corners.shape)
    whole = _on_plane(corners.reshape(-1, 3), given[near.repeat(3)], texture[near.repeat(3)]).reshape(corners.shape)
    same = (np.abs(own - whole) < _SEAM).all(axis=(1, 2), keepdims=True)
    return np.where(same, own, whole)


def _on_plane(points: Array, cells: Array, values: Array) -> Array:
    """What is linear on the plane of each triangle (n, 3, 3), with `values` (n, 3, 3) at its corners, at points."""
    u, v, w = cells[:, 1] - cells[:, 0], cells[:, 2] - cells[:, 0], points - cells[:, 0]
    uu, uv, vv, wu, wv = ((a * b).sum(axis=1) for a, b in ((u, u), (u, v), (v, v), (w, u), (w, v)))
    area = np.maximum(uu * vv - uv * uv, 1e-300)
    s, t = ((wu * vv - wv * uv) / area)[:, None], ((wv * uu - wu * uv) / area)[:, None]
    return np.asarray(values[:, 0] + s * (values[:, 1] - values[:, 0]) + t * (values[:, 2] - values[:, 0]))


def _mended(vertices: Array, triangles: NDArray[np.int64], colors: Array, texture: Array, notes: list[str]) -> Sound:
    """All faces facing outwards, but for cavities, and small holes filled, with colours but no texture."""
    trimesh = needed("trimesh")
    mesh = trimesh.Trimesh(vertices, triangles.copy(), process=False)  # which it may turn in place
    trimesh.repair.fix_normals(mesh, multibody=True)
    mesh.faces = _hollowed(mesh, triangles)
    faces = np.asarray(mesh.faces, dtype=np.int64)
    turned = int((faces != triangles).any(axis=1).sum())
    if turned:
        notes.append(f"{turned:,} triangles faced the wrong side, and are turned")
    was = (faces[:, :, None] == triangles[:, None, :]).argmax(axis=2)  # of each corner, which it was
    texture = np.take_along_axis(texture, was[:, :, None], axis=1)
    if not mesh.is_watertight:
        trimesh.repair.fill_holes(mesh)
        added = len(mesh.faces) - len(triangles)
        if added:
            notes.append(f"holes are filled with {added:,} triangles")
            middles = mesh.triangles_center
            near = _nearest(middles[: len(triangles)], middles[len(triangles) :])
            colors = np.concatenate([colors, colors[near]])
            texture = np.concatenate([texture, np.full((added, 3, 3), np.nan)])
    closed = bool(mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0)
    if not closed:
        notes.append("it is not closed: its volume is that of its convex pieces")
    faces = np.array(mesh.faces, dtype=np.int64)
    return Sound(np.array(mesh.vertices), faces, colors, closed, tuple(notes), texture)


def _hollowed(mesh: Any, given: NDArray[np.int64]) -> NDArray[np.int64]:
    """The faces of a mesh that all face outwards, those of cavities turned inwards.

    A closed part within another one is a cavity where, as it was `given`, it faced the other way than that.
    """
    faces, parts = np.array(mesh.faces, dtype=np.int64), needed("trimesh").graph.connected_components
    found = [part for part in parts(mesh.face_adjacency, nodes=np.arange(len(faces))) if len(part) > 3]
    turned = (faces != given).any(axis=1)
    vertices, outwards = np.asarray(mesh.vertices), faces.copy()
    for part in found:
        around = [other for other in found if other is not part and _is_in(vertices, outwards[part], outwards[other])]
        if len(around) % 2:
            nearest = min(around, key=lambda other: np.ptp(vertices[outwards[other]], axis=(0, 1)).prod())
            if (turned[part].mean() > 0.5) != (turned[nearest].mean() > 0.5):
                faces[part] = outwards[part][:, ::-1]
    return faces


def _is_in(vertices: Array, inner: NDArray[np.int64], outer: NDArray[np.int64]) -> bool:
    """Whether a part is within a closed one: of the sphere about one of its vertices that one covers all.

    By the solid angles of its triangles (Van Oosterom and Strackee 1983).
    """
    here, corners = vertices[inner[0, 0]], vertices[outer]
    if (here <= corners.min(axis=(0, 1))).any() or (here >= corners.max(axis=(0, 1))).any():
        return False
    a, b, c = (corners - here).transpose(1, 0, 2)
    x, y, z = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    volume = (a * np.cross(b, c)).sum(axis=1)
    rest = x * y * z + (a * b).sum(axis=1) * z + (b * c).sum(axis=1) * x + (c * a).sum(axis=1) * y
    return bool(abs(2 * np.arctan2(volume, rest).sum()) > 2 * np.pi)


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
