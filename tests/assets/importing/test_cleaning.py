"""Meshes are made sound: faces face outwards, but for cavities, and images stay where they were."""

import numpy as np
import pytest

from simworld.assets.importing.cleaning import cleaned
from simworld.assets.importing.mesh_reading import MeshData
from simworld.assets.importing.solids import solid_of

trimesh = pytest.importorskip("trimesh")
OUTER, INNER = (trimesh.creation.box((side, side, side)) for side in (0.1, 0.09))


def mesh_of(*parts: tuple[np.ndarray, np.ndarray]) -> MeshData:
    """Vertices and triangles together, with places on an image that tell corners apart."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    vertices = np.concatenate([part[0] for part in parts])
    triangles = np.concatenate([part[1] + start for part, start in zip(parts, starts, strict=False)])
    places = vertices[triangles] * 3 + 0.5
    return MeshData(
        vertices=vertices,
        triangles=triangles,
        colors=np.full((len(triangles), 3), 0.5),
        texture=np.concatenate([places[..., :2], np.zeros((*places.shape[:2], 1))], axis=2),
    )


@pytest.mark.parametrize("inwards", [False, True])
def test_images_stay_where_they_were_on_what_is_turned(inwards: bool) -> None:
    faces = np.array(OUTER.faces)[:, ::-1] if inwards else np.array(OUTER.faces)
    found = cleaned(mesh_of((np.array(OUTER.vertices), faces)))
    np.testing.assert_allclose(found.texture[..., :2], found.vertices[found.triangles][..., :2] * 3 + 0.5, atol=1e-5)
    assert bool(found.notes) is inwards and found.closed


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("inner", "volume"), [(-1, 0.1**3 - 0.09**3), (1, 0.1**3 + 0.09**3)])
def test_a_cavity_is_no_part_of_the_volume(turned: bool, inner: int, volume: float) -> None:
    way = -1 if turned else 1  # of the whole file
    found = cleaned(
        mesh_of(
            (np.array(OUTER.vertices), np.array(OUTER.faces)[:, ::way]),
            (np.array(INNER.vertices), np.array(INNER.faces)[:, :: way * inner]),
        )
    )
    assert found.closed and solid_of(found, ()).volume == pytest.approx(volume, rel=1e-4)
