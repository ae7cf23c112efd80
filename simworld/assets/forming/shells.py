"""Closed surfaces with texture coordinates: of revolution, along paths, of outlines, and boxes with round edges."""

from collections.abc import Sequence
from itertools import groupby
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simworld.assets.forming.form import Shell
from simworld.geometry import Array

_WELD = 1e6
"""Places that are equal in whole micrometres are one."""
_WHOLE = (0.0, 0.0, 1.0, 1.0)


def sheet(rings: ArrayLike, looks: Sequence[int] | int = 0, closed: bool = False) -> Shell:
    """The surface over rings (r, k, 3), each counterclockwise from where the last one is; `closed` back to the first.

    First and last ring are points, or the surface is open there. `looks` are those of the r - 1 bands between rings.
    Texture coordinates go around from 0 to 1, and along each run of bands of one look from 0 to 1 by length.
    """
    points = np.asarray(rings, dtype=float)
    if closed:
        points = np.concatenate([points, points[:1]])
    r, k = points.shape[:2]
    bands = [looks] * (r - 1) if isinstance(looks, int) else list(looks)
    lower, higher = _along(points, bands)
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(r - 1), np.arange(k), indexing="ij"))
    after = (j + 1) % k
    a, b, c, d = i * k + j, i * k + after, (i + 1) * k + after, (i + 1) * k + j
    u0, u1, v0, v1 = j / k, (j + 1) / k, lower[i], higher[i]
    uv = [np.stack(pair, axis=-1) for pair in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    coordinates = np.concatenate([np.stack([uv[0], uv[1], uv[2]], 1), np.stack([uv[0], uv[2], uv[3]], 1)])
    return welded(points.reshape(-1, 3), triangles, coordinates, np.tile(np.array(bands)[i], 2))


def _along(points: Array, bands: list[int]) -> tuple[Array, Array]:
    """The texture coordinate v at the lower and at the higher end of each band."""
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    lower, higher = np.zeros(len(bands)), np.zeros(len(bands))
    for _, run in groupby(range(len(bands)), bands.__getitem__):
        rows = list(run)
        ends = np.cumsum(lengths[rows])
        higher[rows] = ends / ends[-1]
        lower[rows] = (ends - lengths[rows]) / ends[-1]
    return lower, higher


def welded(vertices: Array, triangles: NDArray[np.int64], coordinates: Array, looks: NDArray[np.int64]) -> Shell:
    """A shell of which vertices at one place are one, without the triangles that so lose their area."""
    keys = np.round(vertices * _WELD).astype(np.int64)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    joined = inverse.ravel()[triangles]
    a, b, c = joined.T
    kept = (a != b) & (b != c) & (c != a)
    return Shell(vertices[first], joined[kept], coordinates[kept], looks[kept])


def joined(shells: Sequence[Shell]) -> Shell:
    """The surfaces of several in one."""
    starts = np.cumsum([0, *(len(shell.vertices) for shell in shells)])
    triangles = [shell.triangles + start for shell, start in zip(shells, starts, strict=False)]
    return Shell(
        np.concatenate([shell.vertices for shell in shells]),
        np.concatenate(triangles),
        np.concatenate([shell.coordinates for shell in shells]),
        np.concatenate([shell.looks for shell in shells]),
    )


def circle(radius: float, z: float, around: int, phase: float = 0.0) -> Array:
    """A ring (k, 3) about the z axis."""
    angles = 2 * pi * (np.arange(around) + phase) / around
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(around, z)], axis=1)


def revolved(profile: ArrayLike, looks: Sequence[int] | int = 0, around: int = 32) -> Shell:
    """What a profile (r, 2) of radii and heights sweeps about z: from the axis at the bottom, outside, up to the axis.

    What is hollow comes down inside to the axis; what is a ring ends where it begins.
    """
    points = np.asarray(profile, dtype=float)
    return sheet([circle(radius, z, around) for radius, z in points], looks)


def turned(runs: Sequence[tuple[int, Sequence[tuple[float, float]]]], around: int = 32) -> Shell:
    """What runs of one look each, with points (radius, height), sweep about z; each goes on where the last ended."""
    profile = [point for _, points in runs for point in points]
    looks = [look for look, points in runs for _ in points][1:]
    return revolved(profile, looks, around)


def rounded(profile: Sequence[tuple[float, float]], radius: float, steps: int = 3) -> list[tuple[float, float]]:
    """A profile with its inner corners cut round, by at most a radius, where the lines beside them allow it."""
    points = np.array(profile)
    made = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, 0.45 * np.linalg.norm(before - corner), 0.45 * np.linalg.norm(after - corner))
        a, b = (corner + reach * (end - corner) / np.linalg.norm(end - corner) for end in (before, after))
        shares = np.linspace(0.0, 1.0, steps + 1)[:, None]
        made += list((1 - shares) ** 2 * a + 2 * shares * (1 - shares) * corner + shares**2 * b)
    return [(float(x), float(y)) for x, y in (*made, points[-1])]


def sections_along(path: ArrayLike, sections: ArrayLike, side: ArrayLike, around: int) -> Array:
    """The rings (n, k, 3) of a tube along a path (n, 3), across a direction `side` (3,), of elliptic sections:

    radii (n, 2) along it and over.
    """
    points, radii, across = (
        np.asarray(path, dtype=float),
        np.asarray(sections, dtype=float),
        np.asarray(side, dtype=float),
    )
    forward = np.gradient(points, axis=0)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    normal = np.cross(forward, across)
    angles = 2 * pi * np.arange(around) / around
    c, s = np.cos(angles)[None, :, None], np.sin(angles)[None, :, None]
    made: Array = points[:, None] + radii[:, None, :1] * c * across + radii[:, None, 1:] * s * normal[:, None]
    return made


def capped(rings: ArrayLike, looks: Sequence[int] | int = 0) -> Shell:
    """The closed surface over rings (r, k, 3), with fans about their middles at both ends, which count as bands."""
    points = np.asarray(rings, dtype=float)
    low, high = (np.broadcast_to(points[end].mean(axis=0), points[end].shape) for end in (0, -1))
    return sheet(np.concatenate([low[None], points, high[None]]), looks)


def extruded(outline: ArrayLike, low: float, high: float, bevel: float = 0.0, looks: Sequence[int] | int = 0) -> Shell:
    """A star-shaped outline (k, 2), counterclockwise about the origin, from one height to another.

    Its edges are cut by `bevel`. Looks are those of bottom, lower bevel, wall, upper bevel and top.
    """
    outer = np.asarray(outline, dtype=float)
    inner = inset(outer, bevel)
    ends = [(inner, low), (outer, low + bevel), (outer, high - bevel), (inner, high)]
    rings = [np.column_stack([points, np.full(len(points), z)]) for points, z in ends]
    return capped(rings, looks)


def holed(outer: Array, inner: Array, low: float, high: float, looks: Sequence[int] | int = 0) -> Shell:
    """What is between two outlines (k, 2) from one height to another; looks are those of wall, top, hole and bottom."""
    ends = [(outer, low), (outer, high), (inner, high), (inner, low)]
    return sheet([np.column_stack([points, np.full(len(points), z)]) for points, z in ends], looks, closed=True)


def inset(outline: Array, by: float) -> Array:
    """A counterclockwise outline (k, 2) whose sides are moved inwards."""
    ahead = np.roll(outline, -1, axis=0) - outline
    normals = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    before = np.roll(normals, 1, axis=0)
    both = before + normals
    moved: Array = outline + by * 2 * both / (both * both).sum(axis=1, keepdims=True)
    return moved


def rounded_box(
    size: Sequence[float],
    radius: float,
    looks: Sequence[int] | int = 0,
    regions: Sequence[tuple[float, float, float, float]] = (_WHOLE,) * 6,
    steps: int = 2,
) -> Shell:
    """A box of a size (3,) about the origin with round edges; looks are those of -x, +x, -y, +y, -z and +z.

    Each face shows a region of its look's image, least and greatest u and v: as it is seen from outside, upright, or of
    -z and +z with y upwards.
    """
    half = np.asarray(size, dtype=float) / 2
    faces = [looks] * 6 if isinstance(looks, int) else list(looks)
    made = []
    for face in range(6):
        axis, sign = face // 2, 2 * (face % 2) - 1
        right, up = ((1, 2), (0, 2), (0, 1))[axis]
        turned = sign if axis != 1 else -sign
        a, b = (_ticks(half[k], radius, steps) for k in (right, up))
        n = len(a)
        grid = np.zeros((n, n, 3))
        grid[:, :, axis] = sign * half[axis]
        grid[:, :, right], grid[:, :, up] = turned * a[:, None], b[None, :]
        uv = np.stack(np.broadcast_arrays((a / half[right] / 2 + 0.5)[:, None], (b / half[up] / 2 + 0.5)[None, :]), -1)
        u0, v0, u1, v1 = regions[face]
        uv = (u0, v0) + uv * (u1 - u0, v1 - v0)
        core = np.clip(grid, -(half - radius), half - radius)
        out = grid - core
        points = core + radius * out / np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-12)
        i, j = (index.ravel() for index in np.meshgrid(np.arange(n - 1), np.arange(n - 1), indexing="ij"))
        p, q, r, s = i * n + j, (i + 1) * n + j, (i + 1) * n + j + 1, i * n + j + 1
        triangles = np.concatenate([np.stack([p, q, r], 1), np.stack([p, r, s], 1)])
        made.append(
            (points.reshape(-1, 3), triangles, uv.reshape(-1, 2)[triangles], np.full(len(triangles), faces[face]))
        )
    return welded(*joined([Shell(*part) for part in made]))


def _ticks(half: float, radius: float, steps: int) -> Array:
    """Places from one side of a face to the other: on the flat part only its ends, and as even angles on the edges."""
    angles = np.tan(pi / 4 * np.arange(steps + 1) / steps)
    edge = half - radius + radius * angles
    return np.concatenate([-edge[::-1], edge]) if half > radius else np.concatenate([-edge[::-1], edge[1:]])
