"""What the arm's motors may do beside carrying it, and whether its joints have the room to do it: compiled loops."""

from typing import Any

from simworld.kernels import kernel


@kernel
def give_way(needed: Any, yielding: Any, forces: Any, told: Any) -> None:
    """The forces `told` (2, n) that carry the joints, as far as they can, and those that motors may do beyond these.

    `needed` (n or more,) are the forces that carry them, `yielding` (n,) what motors may do beyond, and `forces` (n,)
    what they can.
    """
    for k in range(told.shape[1]):
        carried = min(max(needed[k], -forces[k]), forces[k])
        told[0, k] = carried
        told[1, k] = min(yielding[k], forces[k] - abs(carried))


@kernel
def nears_limits(state: Any, limits: Any, seconds: float) -> bool:
    """Whether one of the joints, of which `state` (2, n or more) are positions and velocities, may leave its limits.

    They are `limits` (2, n), lower and upper; if it moves on as it does for so many seconds.
    """
    near = False
    for k in range(limits.shape[1]):
        here, there = state[0, k], state[0, k] + state[1, k] * seconds
        near |= min(here, there) <= limits[0, k] or max(here, there) >= limits[1, k]
    return near
