"""Poses and quaternions against rotation matrices."""

import numpy as np
import pytest

from simworld.errors import ConfigurationError
from simworld.geometry import (
    compose,
    invert,
    look_at,
    matrix_to_quat,
    product,
    quat_from_euler,
    quat_from_yaw,
    quat_multiply,
    quat_to_matrix,
    transform_points,
)

GENERATOR = np.random.default_rng(0)


def random_poses(n: int) -> np.ndarray:
    q = GENERATOR.normal(size=(n, 4))
    return np.concatenate([GENERATOR.normal(size=(n, 3)), q / np.linalg.norm(q, axis=1, keepdims=True)], axis=1)


def test_quaternions_and_matrices_agree() -> None:
    for q in random_poses(200)[:, 3:]:
        back = np.array(matrix_to_quat(quat_to_matrix(q)))
        np.testing.assert_allclose(back, q if q[3] >= 0 else -q, atol=1e-9)


@pytest.mark.parametrize("axis", range(3))
def test_half_turns(axis: int) -> None:
    q = np.eye(4)[axis]
    np.testing.assert_allclose(np.abs(matrix_to_quat(quat_to_matrix(q))), q, atol=1e-12)


def test_products_compose_rotations() -> None:
    a, b = random_poses(2)[:, 3:]
    np.testing.assert_allclose(quat_to_matrix(quat_multiply(a, b)), quat_to_matrix(a) @ quat_to_matrix(b), atol=1e-12)


def test_euler_angles_turn_about_fixed_axes() -> None:
    def about(axis: int, angle: float) -> np.ndarray:
        q = np.zeros(4)
        q[axis], q[3] = np.sin(angle / 2), np.cos(angle / 2)
        return quat_to_matrix(q)

    r, p, y = 0.3, -0.7, 1.9
    expected = about(2, y) @ about(1, p) @ about(0, r)
    np.testing.assert_allclose(quat_to_matrix(quat_from_euler(r, p, y)), expected, atol=1e-12)
    np.testing.assert_allclose(quat_from_yaw(y), quat_from_euler(0, 0, y), atol=1e-12)


def test_a_pose_and_its_inverse_cancel() -> None:
    poses = random_poses(20)
    identity = compose(poses, invert(poses))
    np.testing.assert_allclose(identity[:, :3], 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(identity[:, 6]), 1, atol=1e-12)


def test_composed_poses_move_points_in_turn() -> None:
    a, b = random_poses(2)
    points = GENERATOR.normal(size=(5, 3))
    np.testing.assert_allclose(
        transform_points(compose(a, b), points), transform_points(a, transform_points(b, points)), atol=1e-12
    )


def test_look_at_faces_its_target_upright() -> None:
    eye, target = (1.0, -2.0, 0.7), (0.1, 0.2, 0.0)
    right, down, forward = quat_to_matrix(look_at(eye, target)).T
    ahead = np.subtract(target, eye)
    np.testing.assert_allclose(forward, ahead / np.linalg.norm(ahead), atol=1e-12)
    assert right[2] == pytest.approx(0, abs=1e-12)
    assert down[2] < 0
    with pytest.raises(ConfigurationError, match="own position"):
        look_at(eye, eye)


@pytest.mark.parametrize(("n", "k", "m"), [(1, 3, 3), (2, 7, 3), (50, 3, 1), (4, 1, 5), (300, 9, 2)])
def test_a_product_is_that_of_matrices(n: int, k: int, m: int) -> None:
    draw = np.random.default_rng(n).standard_normal
    a, b = draw((n, k)), draw((k, m))
    np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(product(a.tolist(), b.T.copy().T), product(a, b))


@pytest.mark.parametrize(
    ("a", "b"), [((4, 5), (3, 3)), ((4, 1), (3, 3)), ((2, 4, 3), (3, 3)), ((3,), (3, 3)), ((3, 3), (3,))]
)
def test_what_has_no_product_is_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="^no product of "):
        product(np.ones(a), np.ones(b))
