"""The convex pieces that a mesh is touched as."""

import subprocess
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.assets.importing.cleaning import Sound, cleaned
from simworld.assets.importing.mesh_reading import MeshData, needed
from simworld.errors import ConfigurationError
from simworld.geometry import Array

CONVEX = 1.05
"""How much larger than a mesh its convex hull may be and still stand for it."""

MOST_PIECES = 12
"""How many a body may have without being slow in Bullet."""

_TRIANGLES, _SECONDS = 3000, 60.0
"""How many triangles are cut, and how long each try may take."""

MOST_CORNERS = 96
"""How many corners a hull keeps: those that are farthest in as many directions."""

_FLAT = 1e-4
"""How thin, by its length, what has no volume is."""


class ConvexPiece(NamedTuple):
    """A convex piece: corners (n, 3), triangles (m, 3) counterclockwise from outside; the volume of all corners."""

    vertices: Array
    triangles: NDArray[np.int64]
    volume: float


def convex_pieces(mesh: Sound) -> tuple[tuple[ConvexPiece, ...], tuple[str, ...]]:
    """Pieces that a mesh is nearly made of, and notes on how. ConfigurationError where it has no volume."""
    whole = hull(mesh.vertices)
    shells = _shells(mesh)
    if mesh.closed and (parts := _convex(shells)):
        if len(parts) == 1:
            return parts, ("it is convex, or nearly: touched as its hull",)
        return parts, (f"touched as {len(parts)} convex pieces: the hulls of its parts, which are convex, or nearly",)
    if find_spec("coacd") is None:
        return (whole,), ("touched as its convex hull: CoACD, which cuts it into pieces, is not installed",)
    try:
        pieces = _decomposed(mesh, whole=len(shells) == 1)
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, ConfigurationError) as error:
        why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else "failed"
        return (whole,), (f"touched as its convex hull: CoACD, which cuts it into pieces, {why}",)
    return pieces, (f"touched as {len(pieces)} convex pieces",)


def hull(points: Array) -> ConvexPiece:
    """The convex hull of points (n, 3), with few enough corners to be touched fast; ConfigurationError if flat."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if len(points) < 4 or spread[2] < _FLAT * spread[0]:
        raise ConfigurationError("it is flat: it has no volume")
    convex_hull: Any = needed("trimesh.convex").convex_hull
    found = convex_hull(points)
    volume = float(found.volume)
    if len(found.vertices) > MOST_CORNERS:
        found = convex_hull(found.vertices[np.unique((found.vertices @ _directions().T).argmax(axis=0))])
    return ConvexPiece(np.array(found.vertices), np.array(found.faces, dtype=np.int64), volume)


@cache
def _directions() -> Array:
    """Unit vectors (n, 3) spread evenly: a spiral of the golden angle."""
    z = 1 - (2 * np.arange(MOST_CORNERS) + 1) / MOST_CORNERS
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(MOST_CORNERS)
    across = np.sqrt(1 - z * z)
    return np.stack([across * np.cos(turn), across * np.sin(turn), z], axis=1)


def _convex(shells: list[Sound]) -> tuple[ConvexPiece, ...]:
    """The hulls of some shells if all are nearly convex; by themselves: those in each other have volume twice."""
    if len(shells) > MOST_PIECES:
        return ()
    with suppress(ConfigurationError):  # flat ones
        parts = tuple(hull(shell.vertices) for shell in shells)
        if all(part.volume < CONVEX * _volume(shell) for part, shell in zip(parts, shells, strict=True)):
            return parts
    return ()


def _shells(mesh: Sound) -> list[Sound]:
    """The parts of a mesh that share no vertex; not all of them where they are many."""
    ends = np.concatenate([mesh.triangles[:, :2], mesh.triangles[:, 1:]]).T
    size = len(mesh.vertices)
    graph = needed("scipy.sparse").coo_array((np.ones(ends.shape[1], dtype=bool), ends), shape=(size, size))
    count, which = needed("scipy.sparse.csgraph").connected_components(graph, directed=False)
    shells = []
    for k in range(min(count, MOST_PIECES + 1)):
        index, local = np.unique(mesh.triangles[which[mesh.triangles[:, 0]] == k], return_inverse=True)
        shells.append(mesh._replace(vertices=mesh.vertices[index], triangles=local.reshape(-1, 3)))
    return shells


def _decomposed(mesh: Sound, whole: bool) -> tuple[ConvexPiece, ...]:
    """The pieces that CoACD finds. What is not `whole`, or fails, it takes for a cloud that it wraps first."""
    fewer = cleaned(MeshData(mesh.vertices, mesh.triangles, np.full((len(mesh.triangles), 3), np.nan)), _TRIANGLES)
    if fewer.closed and whole:
        with suppress(subprocess.SubprocessError):
            return _run(fewer, remesh="off")
    return _run(fewer, remesh="on")


def _run(mesh: Sound, remesh: str) -> tuple[ConvexPiece, ...]:
    """Run the program that cuts."""
    with TemporaryDirectory() as folder:
        given, out = Path(folder, "given.npz"), Path(folder, "out.npz")
        np.savez(given, vertices=mesh.vertices, triangles=mesh.triangles)
        command = [
            sys.executable,
            str(Path(__file__).with_name("decomposing.py")),
            str(given),
            str(out),
            remesh,
            str(MOST_PIECES),
        ]
        subprocess.run(command, timeout=_SECONDS, check=True, capture_output=True)
        with np.load(out) as arrays:
            return tuple(hull(part) for part in np.split(arrays["corners"], np.cumsum(arrays["counts"])[:-1]))


def _volume(mesh: Sound) -> float:
    a, b, c = mesh.vertices[mesh.triangles].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)
