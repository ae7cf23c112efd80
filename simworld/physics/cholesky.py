"""Systems of a few linear equations, in compiled loops."""

import math
from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.kernels import inlined, kernel


@inlined
def solve(matrix: Any, x: Any) -> None:
    """Solve for `x` (n,) a symmetric positive matrix (n, n or more) of which the lower half is given, and used up."""
    count = x.shape[0]
    for i in range(count):
        for j in range(i + 1):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = math.sqrt(matrix[i, i]) if i == j else matrix[i, j] / matrix[j, j]
        for j in range(i):
            x[i] -= matrix[i, j] * x[j]
        x[i] /= matrix[i, i]
    for i in range(count - 1, -1, -1):
        for j in range(i + 1, count):
            x[i] -= matrix[j, i] * x[j]
        x[i] /= matrix[i, i]


@kernel
def _invert_diagonal(matrix: Any, work: Any, x: Any, found: Any) -> None:
    count = found.shape[0]
    for k in range(count):
        for i in range(count):
            x[i] = 1.0 if i == k else 0.0
            for j in range(i + 1):
                work[i, j] = matrix[i, j]
        solve(work, x)
        found[k] = x[k]


def inverse_diagonal(matrix: Array) -> Array:
    """The diagonal (n,) of the inverse of a symmetric positive definite matrix (n, n), of which the lower half is read.

    LAPACK's is rounded differently by different processors, and episodes would differ with them. ValueError where a
    matrix is not positive definite.
    """
    found = np.empty(len(matrix))
    _invert_diagonal(matrix, np.empty_like(matrix), np.empty_like(found), found)
    if not (np.isfinite(found) & (found > 0)).all():
        raise ValueError("the matrix is not positive definite")
    return found
