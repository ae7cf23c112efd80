"""The step of the joints that brings the tool nearer to where it is wanted."""

import numpy as np

from simworld.geometry import Array

_DAMPED = 0.05**2 * np.eye(6)
_POSTURE_GAIN = 0.1


def damped_step(error: Array | list[float], jacobian: Array, from_rest: Array) -> Array:
    """The step (n,) in rad that mends an error (6,) of the tool's pose by its Jacobian (6, n).

    Damped least squares (Wampler 1986; Nakamura and Hanafusa 1986), with the way back to the rest posture, which is
    `from_rest` (n,) away, as the secondary task in the null space.
    """
    posture = _POSTURE_GAIN * from_rest
    step: Array = posture + jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + _DAMPED, error - jacobian @ posture)
    return step
