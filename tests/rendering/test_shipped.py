"""The levels of detail that come with the package."""

from pathlib import Path

import numpy as np
import pytest

from simworld.rendering.meshes import loading
from simworld.rendering.meshes.leveled import joined
from simworld.rendering.meshes.loading import COARSEST, FINEST, VERSION, diagonal, load_mesh, mesh_bounds, mesh_key
from simworld.rendering.meshes.shipped import FOLDER, file_of, shipped
from simworld.rendering.meshes.shipping import sources
from simworld.rendering.meshes.simplify.distance import deviation


def test_every_mesh_that_ships_has_its_levels() -> None:
    wanted = {file_of(mesh_key(source)) for source in sources()}
    assert wanted == set(FOLDER.glob("*.npz"))
    for source in sources():
        assert all(shipped(mesh_key(source), VERSION, f"level {k}") for k in range(COARSEST, FINEST + 1))
        assert shipped(mesh_key(source), VERSION - 1, "bounds") is None
    assert sum(path.stat().st_size for path in wanted) < 4e6


def test_they_are_drawn_without_being_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMWORLD_CACHE", str(tmp_path))
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(loading, "leveled", None)
    for source in sources():
        counts = [
            sum(len(group.mesh.triangles) for group in load_mesh(source, diagonal(source) / 2**level))
            for level in range(COARSEST, COARSEST + 3)
        ]
        assert counts == sorted(counts)


def test_they_are_within_their_tolerance() -> None:
    source = min(sources(), key=lambda name: sum(len(group.mesh.triangles) for group in load_mesh(name, 0)))
    full = joined([group.mesh for group in load_mesh(source, 0)])[0]
    low, high = mesh_bounds(source)
    assert np.array_equal(low, full.vertices.min(axis=0)) and np.array_equal(high, full.vertices.max(axis=0))
    tolerance = diagonal(source) / 2**COARSEST
    less = joined([group.mesh for group in load_mesh(source, tolerance)])[0]
    assert len(less.triangles) < len(full.triangles)
    assert deviation(full, less, tolerance) < tolerance * (1 + 1e-6)
