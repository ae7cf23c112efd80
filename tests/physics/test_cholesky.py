"""Systems of linear equations."""

import numpy as np
import pytest

from simworld.physics.cholesky import inverse_diagonal


@pytest.mark.parametrize("size", (1, 3, 7))
def test_the_diagonal_is_that_of_the_inverse(size: int) -> None:
    for seed in range(5):
        root = np.random.default_rng(seed).standard_normal((size, size))
        matrix = root @ root.T + 0.1 * np.eye(size)
        kept = matrix.copy()
        np.testing.assert_allclose(inverse_diagonal(matrix), np.linalg.inv(matrix).diagonal(), rtol=1e-9)
        np.testing.assert_array_equal(matrix, kept)
        # The upper half may be anything.
        np.testing.assert_array_equal(inverse_diagonal(np.tril(matrix)), inverse_diagonal(matrix))


def test_a_matrix_that_is_not_positive_definite_is_refused() -> None:
    for matrix in (np.array([[1.0, 0.0], [2.0, 1.0]]), np.ones((2, 2)), np.zeros((1, 1)), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="not positive definite"):
            inverse_diagonal(matrix)
