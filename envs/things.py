"""What the things of tasks are that have many: simple ones, or those of families, of real sizes."""

from collections.abc import Iterable
from typing import Literal

from simworld.distributions.choices import Tagged
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Integers

Things = Literal["simple", "families"]
"""An option of tasks: what presets draw for any task, or all that a gripper can take from above."""

KEPT = Integers(0, 49)
"""Which instances of a family a task draws: so many that the cache has them all after a while."""


def of_families(numbers: Iterable[int]) -> dict[str, Distribution]:
    """The factors of objects of some numbers that are of any family."""
    drawn: dict[str, Distribution] = {"kind": Tagged(("graspable",)), "seed": KEPT}
    return {f"objects.{i}.{what}": distribution for i in numbers for what, distribution in drawn.items()}
