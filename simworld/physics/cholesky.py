"""Systems of a few linear equations, in compiled loops."""

import math
from typing import Any

from simworld.kernels import inlined


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
