"""What the arm's motors may do beside carrying it: a compiled loop."""

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
