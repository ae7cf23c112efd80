"""What the things of tasks are that have many: simple ones, or those of families, of real sizes."""

from typing import Literal

from simworld.distributions.choices import Choice
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Integers, Uniform

Things = Literal["simple", "families"]
"""An option of tasks: what presets draw for any task, or HANDY things."""

HANDY = ("apple", "ball", "banana", "can", "dice", "jar", "lemon", "nut", "pear", "toy_brick")
"""Families of what grippers take about its middle and lay beside other things: nothing tall, broad, hollow or thin."""

KEPT = Integers(0, 49)
"""Which instances of a family a task draws: so many that the cache has them all after a while."""


def of_families(count: int, boxes: int = 1) -> dict[str, Distribution]:
    """The factors of so many HANDY objects, and of boxes for them: what is larger takes more room."""
    factors: dict[str, Distribution] = {f"boxes.{i}.height": Uniform(0.08, 0.1) for i in range(boxes)}
    for i in range(count):
        factors |= {f"objects.{i}.kind": Choice(HANDY), f"objects.{i}.seed": KEPT}
    return factors | {"objects.*.position.x": Uniform(-0.16, 0.1), "objects.*.position.y": Uniform(-0.32, 0.02)}
