"""Rewards that are 0 where the goal is reached, and below elsewhere."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from simworld.envs.terms.goal import Goal, Goals
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.reward import Reward, Value
from simworld.envs.terms.term import term
from simworld.errors import ConfigurationError
from simworld.geometry import Array

if TYPE_CHECKING:
    from simworld.scene.model import Scene


class _Shortfall(Reward):
    of_goals = True

    @abstractmethod
    def elsewhere(self, goal: Goal, achieved: Goals, desired: Goals) -> Goals:
        """The reward (...,) where the goal is not reached."""

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        def value(now: Instant) -> float:
            return 0.0 if now.reached else float(self.elsewhere(goal, now.achieved, now.desired))

        return value

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        values = self.elsewhere(goal, achieved, desired)
        return np.where(goal.reached(achieved, desired), 0.0, values).astype(float)


@term
class sparse(_Shortfall):
    """0 where the goal is reached, -1 elsewhere."""

    @property
    def bounds(self) -> tuple[float, float]:
        return -1.0, 0.0

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        return lambda now: 0.0 if now.reached else -1.0

    def elsewhere(self, goal: Goal, achieved: Goals, desired: Goals) -> Goals:
        return np.full(achieved.shape[:-1], -1.0)


@term
class dense(_Shortfall):
    """0 where the goal is reached, elsewhere -tanh(scale * distance in metres), and at most -least."""

    scale: float = 5.0
    least: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale <= 0 or not 0 <= self.least <= 1:
            raise ConfigurationError(f"dense: scale must be above 0 and least in 0..1, got {self.scale}, {self.least}")

    @property
    def bounds(self) -> tuple[float, float]:
        return -1.0, 0.0

    def elsewhere(self, goal: Goal, achieved: Goals, desired: Goals) -> Goals:
        shaped = np.tanh(self.scale * goal.distance(achieved, desired))
        return np.asarray(-np.maximum(shaped, np.float32(self.least)))
