"""How near two things are."""

import math
from typing import TYPE_CHECKING

from simworld.envs.terms.goal import Goal
from simworld.envs.terms.instant import Instant, place
from simworld.envs.terms.reward import Reward, Value
from simworld.envs.terms.term import PlaceName, term
from simworld.errors import ConfigurationError

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class near(Reward):
    """1 where two things are at one place, and 1 - tanh(scale * distance in metres) elsewhere; `tool` is one too."""

    one: PlaceName
    other: PlaceName
    scale: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale <= 0:
            raise ConfigurationError(f"near: scale must be above 0, got {self.scale}")

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        one, other, scale = place(scene, self.one), place(scene, self.other), self.scale

        def value(now: Instant) -> float:
            return nearness(math.dist(one(now), other(now)), scale)

        return value


def nearness(metres: float, scale: float) -> float:
    """1 at no distance, and less and less towards 0."""
    return 1.0 - math.tanh(scale * metres)
