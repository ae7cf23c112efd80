"""Meshes as Wavefront OBJ files, which are what renderers and PyBullet read."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.plain import Color

Index = NDArray[np.int64]

CREASE = np.cos(np.radians(40.0))
"""Cosine of the angle between faces from which the edge between them looks sharp."""


def visual_obj(vertices: Array, triangles: NDArray[np.int64], colors: Array, library: str) -> tuple[bytes, bytes]:
    """The OBJ file of a mesh with its normals, and the .mtl file that it names as `library`.

    Triangles of one colour, of `colors` (m, 3) in 0..1 with NaN for none, are one group.
    """
    normals, corners = _distinct(corner_normals(vertices, triangles))
    known = np.where(np.isnan(colors), -1.0, colors)
    palette, groups = np.unique(known, axis=0, return_inverse=True)
    lines = [f"mtllib {library}", *_rows("v", vertices), *_rows("vn", normals)]
    materials = []
    for k, color in enumerate(palette):
        if color[0] >= 0:
            materials += [f"newmtl color{k}", "Kd {:.6f} {:.6f} {:.6f}".format(*color)]
            lines.append(f"usemtl color{k}")
        else:
            lines.append("usemtl none")
        rows = np.flatnonzero(groups.ravel() == k)
        both = np.stack([triangles[rows], corners[rows]], axis=2).reshape(-1, 6) + 1
        lines += ["f {}//{} {}//{} {}//{}".format(*row) for row in both.tolist()]
    return _text(lines), _text(materials)


def surface_obj(
    vertices: Array,
    triangles: Index,
    coordinates: Array,
    looks: Index,
    materials: Sequence[tuple[Color, str]],
    library: str,
) -> tuple[bytes, bytes]:
    """The OBJ file of a mesh with texture coordinates (m, 3, 2) of its corners, and the .mtl file that it names.

    Which of the `materials` each triangle has say `looks` (m,); one is a colour, and the name of an image or "".
    """
    normals, corners = _distinct(corner_normals(vertices, triangles))
    known, which = np.unique(np.round(coordinates.reshape(-1, 2), 5) + 0.0, axis=0, return_inverse=True)
    lines = [f"mtllib {library}", *_rows("v", vertices), *(f"vt {u:.5g} {v:.5g}" for u, v in known.tolist())]
    lines += _rows("vn", normals)
    library_lines = []
    rows = np.stack([triangles, which.reshape(-1, 3), corners], axis=2).reshape(-1, 9) + 1
    for k, (color, image) in enumerate(materials):
        library_lines += [f"newmtl look{k}", "Kd {:.6f} {:.6f} {:.6f}".format(*color)]
        library_lines += [f"map_Kd {image}"] if image else []
        lines.append(f"usemtl look{k}")
        lines += ["f {}/{}/{} {}/{}/{} {}/{}/{}".format(*row) for row in rows[looks == k].tolist()]
    return _text(lines), _text(library_lines)


def pieces_obj(pieces: Iterable[tuple[Array, NDArray[np.int64]]]) -> bytes:
    """The OBJ file of convex pieces, vertices and triangles each, an object a piece as PyBullet wants them."""
    lines: list[str] = []
    start = 1
    for k, (vertices, triangles) in enumerate(pieces):
        lines += [f"o piece{k}", *_rows("v", vertices)]
        lines += ["f {} {} {}".format(*row) for row in (triangles + start).tolist()]
        start += len(vertices)
    return _text(lines)


def corner_normals(vertices: Array, triangles: NDArray[np.int64]) -> Array:
    """Unit normals (m, 3, 3) of each corner: the mean, by area, of faces that share its vertex and no sharp edge."""
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    unit = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-300)
    order = np.argsort(triangles.ravel(), kind="stable")
    used = triangles.ravel()[order]
    counts = np.bincount(used, minlength=len(vertices))
    starts = np.cumsum(counts) - counts
    sums = np.zeros((len(order), 3))
    # Each corner with the first, second, ... of all the corners at its vertex.
    for k in range(int(counts.max())):
        rows = np.flatnonzero(counts[used] > k)
        mine, other = order[rows] // 3, order[starts[used[rows]] + k] // 3
        smooth = (unit[mine] * unit[other]).sum(axis=1) >= CREASE
        sums[rows[smooth]] += across[other[smooth]]
    out = np.empty_like(sums)
    out[order] = sums
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-300)
    return out.reshape(-1, 3, 3)


def _distinct(normals: Array) -> tuple[Array, NDArray[np.int64]]:
    """Different normals (k, 3), and which of them (m, 3) each corner has."""
    found, which = np.unique(np.round(normals.reshape(-1, 3), 4) + 0.0, axis=0, return_inverse=True)
    return found, which.reshape(-1, 3)


def _rows(kind: str, values: Array) -> list[str]:
    return [f"{kind} {x:.7g} {y:.7g} {z:.7g}" for x, y, z in values.tolist()]


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
