"""The step of the joints that brings the tool nearer to where it is wanted, and how they are aimed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simworld.geometry import Array
from simworld.kernels import kernel
from simworld.physics.cholesky import solve

_DAMPED, _POSTURE_GAIN = 0.05**2, 0.1


@kernel
def _solve_step(jacobian: Any, error: Any, from_rest: Any, work: Any, step: Any) -> None:
    """The step (n,) in rad that mends an error (6,) of the tool's pose by its Jacobian (6, n); `work` is (7, 6).

    Damped least squares (Wampler 1986; Nakamura and Hanafusa 1986), with the way back to the rest posture, which is
    `from_rest` (n,) away, as the secondary task in the null space.
    """
    joints = range(jacobian.shape[1])
    x = work[6]
    for i in range(6):
        x[i] = error[i]
        for k in joints:
            x[i] -= jacobian[i, k] * (_POSTURE_GAIN * from_rest[k])
        for j in range(i + 1):
            work[i, j] = _DAMPED if i == j else 0.0
            for k in joints:
                work[i, j] += jacobian[i, k] * jacobian[j, k]
    solve(work, x)
    for k in joints:
        step[k] = _POSTURE_GAIN * from_rest[k]
        for i in range(6):
            step[k] += jacobian[i, k] * x[i]


@kernel
def shorten_step(step: Any, positions: Any, bounds: Any, targets: Any) -> None:
    """Where a step (n,) in rad leads from positions (n,), shortened if a joint would be too far ahead.

    `bounds` (3, n) are the joints' lower and upper limits, and 1 / how far each may be ahead.
    """
    most = 1.0
    for k in range(step.shape[0]):
        most = max(most, abs(step[k]) * bounds[2, k])
    for k in range(step.shape[0]):
        targets[k] = min(max(positions[k] + step[k] / most, bounds[0, k]), bounds[1, k])


def damped_step(error: Sequence[float] | Array, jacobian: Array, from_rest: Array) -> Array:
    """The step (n,) in rad that mends an error (6,), by damped least squares."""
    step = np.empty(len(from_rest))
    _solve_step(jacobian, np.array(error, dtype=float), from_rest, np.empty((7, 6)), step)
    return step
