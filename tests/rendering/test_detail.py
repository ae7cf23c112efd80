"""Simplified surfaces: the error bound, by brute force, and what has to survive."""

import numpy as np
import pytest

from simworld.geometry import Array
from simworld.rendering.meshes.primitives import is_closed, sphere
from simworld.rendering.meshes.simplify.detail import carried_normals, simplify
from simworld.rendering.meshes.simplify.distance import DistanceSurface, closest, deviation, face_normals, strays


def bumpy(parts: int) -> DistanceSurface:
    """A closed surface about the origin, smooth and not convex."""
    shape = sphere(0.003)
    assert shape is not None
    vertices, triangles = shape.vertices, shape.triangles
    radius = 1 + 0.2 * np.sin(parts * vertices[:, 0]) * np.cos(parts * vertices[:, 1])
    return DistanceSurface(vertices * radius[:, None], triangles, np.zeros(len(triangles), dtype=np.int64))


def sheet(count: int) -> DistanceSurface:
    """A flat square with an open border, in two labels along a diagonal."""
    x, y = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count), indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(count * count)], axis=1)
    corner = np.array([i * count + j for i in range(count - 1) for j in range(count - 1)])
    quads = np.stack([corner, corner + count, corner + count + 1, corner + 1], axis=1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    labels = (vertices[triangles].mean(axis=1) @ [1, -1, 0] > 0).astype(np.int64)
    return DistanceSurface(vertices, triangles, labels)


def spread(surface: DistanceSurface, count: int, rng: np.random.Generator) -> Array:
    """Random points on a surface."""
    a, b, c = surface.vertices[surface.triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    row = rng.choice(len(area), count, p=area / area.sum())
    s, t = rng.random((2, count, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return np.asarray(a[row] + s * (b - a)[row] + t * (c - a)[row])


def distances(points: Array, surface: DistanceSurface) -> Array:
    """Distance of each point to a surface: to the nearest of all planes' feet, edges and corners."""
    best = np.full(len(points), np.inf)
    for corners in surface.vertices[surface.triangles]:
        a, b, c = corners
        normal = np.cross(b - a, c - a)
        foot = points - ((points - a) @ normal / (normal @ normal))[:, None] * normal
        weights = [np.cross(q - p, foot - p) @ normal for p, q in ((a, b), (b, c), (c, a))]
        inside = np.min(weights, axis=0) >= 0
        best = np.minimum(best, np.where(inside, np.linalg.norm(points - foot, axis=1), np.inf))
        for p, q in ((a, b), (b, c), (c, a)):
            along = np.clip((points - p) @ (q - p) / ((q - p) @ (q - p)), 0, 1)
            best = np.minimum(best, np.linalg.norm(points - p - along[:, None] * (q - p), axis=1))
    return best


def points_of(surface: DistanceSurface) -> Array:
    """Vertices, midpoints and centroids of the triangles cut in four."""
    a, b, c = surface.vertices[surface.triangles].transpose(1, 0, 2)
    weights = [(x, y, 4 - x - y) for x in range(5) for y in range(5 - x)]
    thirds = [(4, 1, 1), (1, 4, 1), (1, 1, 4), (2, 2, 2)]
    return np.concatenate([(x * a + y * b + z * c) / (x + y + z) for x, y, z in weights + thirds])


@pytest.mark.parametrize("tolerance", [0.01, 0.03, 0.1])
def test_the_error_is_within_the_tolerance_both_ways(tolerance: float) -> None:
    given = bumpy(5)
    simple = simplify(given, tolerance)
    rng = np.random.default_rng(0)
    assert distances(spread(given, 3000, rng), simple).max() < tolerance
    assert distances(spread(simple, 3000, rng), given).max() < tolerance
    assert len(simple.triangles) < min(0.9, 0.01 / tolerance) * len(given.triangles)


def test_the_measured_error_is_a_bound_of_brute_force() -> None:
    given = bumpy(4)
    simple = simplify(given, 0.05)
    back, there = (points_of(surface) for surface in (simple, given))
    brute = max(distances(back, given).max(), distances(there, simple).max())
    assert brute <= deviation(given, simple, 0.06) <= 1.05 * brute
    assert deviation(simple, given, brute * 0.99) == np.inf
    assert deviation(given, given, 1.0) < 1e-12


def test_an_error_between_the_samples_is_found() -> None:
    flat = np.array([[0.0, 0, 0], [1, 0, 0], [0.9, 0.001, 0]])
    dent = np.array([[0.0, 0, 0], [0.31, 0, 0], [0.32, 0, -0.01], [0.33, 0, 0], [1, 0, 0], [0.9, 0.001, 0]])
    one = DistanceSurface(flat, np.array([[0, 1, 2]]), np.zeros(1, dtype=np.int64))
    fan = np.array([[0, 1, 5], [1, 2, 5], [2, 3, 5], [3, 4, 5]])
    other = DistanceSurface(dent, fan, np.zeros(4, dtype=np.int64))
    assert 0.0099 < deviation(one, other, 0.011) < 0.0104
    assert strays(other, one, 0.0095).tolist() == [False, True, True, False]
    assert not strays(other, one, 0.0105).any() and not strays(one, other, 0.0105).any()


def test_closest_points_on_a_triangle() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        a, b, c, p = rng.normal(size=(4, 3))
        one = DistanceSurface(np.array([a, b, c]), np.array([[0, 1, 2]]), np.zeros(1, dtype=np.int64))
        squared, s, t = closest(p, a, b, c)
        assert squared == pytest.approx(distances(p[None], one)[0] ** 2, rel=1e-9, abs=1e-15)
        foot = (1 - s - t) * a + s * b + t * c
        assert ((p - foot) ** 2).sum() == pytest.approx(squared, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("tolerance", [0.01, 0.1, 2.0])
def test_a_closed_surface_stays_closed_and_keeps_its_sides(tolerance: float) -> None:
    given = bumpy(3)
    simple = simplify(given, tolerance)
    assert is_closed(given.vertices, given.triangles)
    assert is_closed(simple.vertices, simple.triangles)
    assert not is_closed(simple.vertices, simple.triangles[:, ::-1])
    assert not is_closed(simple.vertices, simple.triangles[1:])


def test_smooth_normals_stay_smooth() -> None:
    shape = sphere(0.003)
    assert shape is not None
    vertices, triangles, normals = shape.vertices, shape.triangles, shape.normals
    given = DistanceSurface(vertices, triangles, np.zeros(len(triangles), dtype=np.int64))
    simple = simplify(given, 0.03)
    carried = carried_normals(given, normals, simple, 0.03)
    directions = simple.vertices / np.linalg.norm(simple.vertices, axis=1, keepdims=True)
    assert ((carried * directions[simple.triangles]).sum(axis=2) > np.cos(np.radians(4))).all()
    assert np.linalg.norm(carried, axis=2) == pytest.approx(1)


def test_a_flat_sheet_keeps_its_outline_and_its_labels() -> None:
    given = sheet(21)
    simple = simplify(given, 0.01)
    assert len(simple.triangles) <= 12
    assert np.ptp(simple.vertices[simple.triangles].reshape(-1, 3), axis=0) == pytest.approx([1, 1, 0], abs=0.02)
    assert (face_normals(simple.vertices, simple.triangles)[:, 2] > 0.999).all()
    a, b, c = simple.vertices[simple.triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    given_area = np.bincount(given.labels) / (2 * 20**2)
    assert np.bincount(simple.labels, area) == pytest.approx(given_area, abs=0.03)


def test_the_same_surface_gives_the_same_bits() -> None:
    one, other = simplify(bumpy(5), 0.05), simplify(bumpy(5), 0.05)
    assert np.array_equal(one.vertices, other.vertices) and np.array_equal(one.triangles, other.triangles)


def test_two_sides_of_a_cavity() -> None:
    shape = sphere(0.05)
    assert shape is not None
    vertices, triangles = shape.vertices, shape.triangles
    both = np.concatenate([vertices, vertices / 2])
    count = len(vertices)
    assert is_closed(both, np.concatenate([triangles, triangles[:, ::-1] + count]))
    apart = np.concatenate([vertices, vertices / 2 + 3])
    assert not is_closed(apart, np.concatenate([triangles, triangles[:, ::-1] + count]))
