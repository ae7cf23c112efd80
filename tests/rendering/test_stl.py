"""STL files: both kinds, what is broken, and normals that are round where the surface is."""

import struct
from pathlib import Path

import numpy as np
import pytest

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.meshes.loading import CYLINDER, load_mesh


def triangles() -> Array:
    """The corners (m, 3, 3) of a cylinder."""
    mesh = load_mesh(CYLINDER, 0)[0].mesh
    return np.asarray(mesh.vertices[mesh.triangles])


def binary(corners: Array) -> bytes:
    rows = [struct.pack("<12fH", 0, 0, 0, *corner.ravel(), 0) for corner in corners]
    return b"\0" * 80 + struct.pack("<I", len(rows)) + b"".join(rows)


def text(corners: Array) -> bytes:
    lines = ["solid thing"]
    for corner in corners.tolist():
        lines += [
            "facet normal 0 0 0",
            "outer loop",
            *(f"vertex {x} {y} {z}" for x, y, z in corner),
            "endloop",
            "endfacet",
        ]
    return "\n".join([*lines, "endsolid thing", ""]).encode()


@pytest.mark.parametrize("write", [binary, text])
def test_a_cylinder_is_round_at_its_side_and_flat_at_its_ends(tmp_path: Path, write: type) -> None:
    (tmp_path / "a.STL").write_bytes(write(triangles()))
    (group,) = load_mesh(str(tmp_path / "a.STL"), 0)
    mesh = group.mesh
    assert group.color is None and mesh.closed
    assert len(mesh.triangles) == len(triangles())
    corners, up = mesh.vertices[mesh.triangles], mesh.normals[..., 2]
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(1)
    ends = np.isclose(np.ptp(corners[..., 2], axis=1), 0)
    assert np.abs(up[ends]) == pytest.approx(1)
    assert up[~ends] == pytest.approx(0, abs=1e-6)
    outwards = corners[~ends][..., :2] / np.linalg.norm(corners[~ends][..., :2], axis=2, keepdims=True)
    assert (mesh.normals[~ends][..., :2] * outwards).sum(axis=2).min() > 0.998


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is no STL file, or not all of it"),
        (binary(np.ones((2, 3, 3)))[:-1], "it is no STL file, or not all of it"),
        (binary(np.zeros((0, 3, 3))), "there are no faces in it"),
        (binary(np.ones((2, 3, 3))), "no face of it has an area"),
        (binary(np.full((1, 3, 3), np.nan)), "a coordinate is not finite"),
        (b"solid a\nvertex 1 2 x\n", "a face is not three vertices of three numbers"),
        (b"solid a\nvertex 1 2 3\n", "a face is not three vertices of three numbers"),
        (b"solid a\nendsolid a\n", "there are no faces in it"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.stl").write_bytes(content)
    with pytest.raises(RenderError, match=rf"cannot read mesh .*a\.stl: {why}$"):
        load_mesh(str(tmp_path / "a.stl"), 0)
