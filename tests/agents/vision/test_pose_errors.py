"""BOP's measures, where they are known in closed form."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from simworld.agents.vision.pose_errors import add, add_s, mspd, surface_of
from simworld.annotation.surface_points import even_points, surface_points
from simworld.scene.model import Mesh

CUBE = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.03, 0.03)])
K = np.array([[300.0, 0.0, 160.0], [0.0, 300.0, 120.0], [0.0, 0.0, 1.0]])
POSE = Rotation.from_euler("xyz", (0.2, -0.4, 0.9)).as_matrix(), np.array([0.05, -0.02, 0.6])
QUARTER = Rotation.from_euler("z", np.pi / 2).as_matrix()


def test_nothing_is_off_at_the_truth() -> None:
    assert add(CUBE, POSE, POSE) == add_s(CUBE, POSE, POSE) == mspd(CUBE, K, POSE, POSE, np.eye(3)[None]) == 0.0


def test_a_small_shift_is_its_length() -> None:
    moved = POSE[0], POSE[1] + (0.003, 0.0, 0.004)
    assert add(CUBE, moved, POSE) == pytest.approx(0.005)
    assert add_s(CUBE, moved, POSE) == pytest.approx(0.005)


def test_a_turn_onto_itself_is_nothing_but_for_add() -> None:
    turned = POSE[0] @ QUARTER, POSE[1]
    assert add(CUBE, turned, POSE) == pytest.approx(0.06)
    assert add_s(CUBE, turned, POSE) == pytest.approx(0.0, abs=1e-12)
    both = np.stack([np.eye(3), QUARTER, np.zeros((3, 3))])
    assert mspd(CUBE, K, turned, POSE, both) == pytest.approx(0.0, abs=1e-9)
    assert mspd(CUBE, K, turned, POSE, np.eye(3)[None]) > 10


def test_any_turn_of_a_ball_is_right() -> None:
    every = np.zeros((1, 3, 3))
    assert mspd(CUBE, K, (QUARTER, POSE[1]), POSE, every) == pytest.approx(0.0, abs=1e-9)
    assert 4 < mspd(CUBE, K, (QUARTER, POSE[1] + (0.01, 0.0, 0.0)), POSE, every) < 6


def test_a_shift_along_the_image_is_seen_in_pixels() -> None:
    plate = CUBE * (1, 1, 0)
    pose = np.eye(3), np.array([0.0, 0.0, 0.5])
    assert mspd(plate, K, (pose[0], pose[1] + (0.01, 0, 0)), pose, np.eye(3)[None]) == pytest.approx(300 * 0.01 / 0.5)


def test_points_of_a_mesh_are_on_its_bounds() -> None:
    mesh = Mesh(name="banana#3", scale=1.5)
    points = surface_points(mesh, 200)
    assert len(points) == 200 and len(np.unique(points, axis=0)) == 200
    half = np.array(mesh.asset.half_extents) * 1.5
    np.testing.assert_allclose(np.abs(points).max(axis=0), half, rtol=0.02)
    surface = surface_of(mesh.model_dump_json())
    assert 1.8 * half.max() < surface.diameter < 2 * np.linalg.norm(half)
    assert len(surface.points) == 2000


def test_points_are_spread_evenly_over_the_faces_of_a_mesh() -> None:
    mesh = Mesh(name="carton#0", scale=1.5, stretch=(1.0, 1.0, 2.0))
    points, corners = even_points(mesh, 4000), surface_points(mesh)
    seen = trimesh.load(mesh.asset.visual_path, process=False, force="mesh")
    seen.vertices = (seen.vertices - mesh.asset.center) * 1.5 * np.array([1.0, 1.0, 2.0])
    assert trimesh.proximity.closest_point_naive(seen, points[::20])[1].max() < 1e-6
    low, high = corners.min(axis=0), corners.max(axis=0)
    for axis in range(3):  # as much of it on each side of a middle as there is of the area
        middle = (low[axis] + high[axis]) / 2
        above = seen.area_faces[seen.triangles_center[:, axis] > middle].sum() / seen.area
        assert (points[:, axis] > middle).mean() == pytest.approx(above, abs=0.12)
    assert (even_points(mesh, 4000) == points).all()
