"""What a reward is: a bounded number for an instant, that is added to others and multiplied by numbers."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simworld.distributions.values import is_number
from simworld.envs.terms.goal import Goal, Goals
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.term import Term, kind_of, kinds
from simworld.errors import ConfigurationError, shown
from simworld.geometry import Array

if TYPE_CHECKING:
    from simworld.scene.model import Scene

Value = Callable[[Instant], float]


class Reward(Term):
    """A number within `bounds`; where it is `of_goals`, goals alone say it, for hindsight replay."""

    what: ClassVar[str] = "a reward"
    of_goals: bool = False

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest that it can be."""

    @abstractmethod
    def begin(self, scene: "Scene", goal: Goal) -> Value:
        """What gives it in an episode."""

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        """The numbers (...,) for goals (..., size), where they are `of_goals`."""
        raise ConfigurationError(f"{self!r} is no function of goals, as hindsight needs it")

    def __add__(self, other: "Reward | float") -> "Reward":
        return _Sum((self, _reward(other)))

    def __radd__(self, other: float) -> "Reward":
        return _Sum((_reward(other), self))

    def __sub__(self, other: "Reward | float") -> "Reward":
        return self + -1.0 * _reward(other)

    def __rsub__(self, other: float) -> "Reward":
        return _reward(other) + -1.0 * self

    def __mul__(self, factor: float) -> "Reward":
        if not is_number(factor):
            raise ConfigurationError(f"a reward is multiplied by a finite number, got {shown(factor)}")
        return _scaled(float(factor), self)

    __rmul__ = __mul__

    def __neg__(self) -> "Reward":
        return -1.0 * self


def _reward(value: Reward | float) -> Reward:
    if isinstance(value, Reward):
        return value
    if not is_number(value):
        raise ConfigurationError(f"a reward is added to rewards and finite numbers, got {shown(value)}")
    return ConstantReward(float(value))


@dataclass(frozen=True, repr=False)
class ConstantReward(Reward):
    """A number, which is written as itself."""

    value: float
    of_goals = True

    def __repr__(self) -> str:
        return repr(self.value)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.value, self.value

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        return lambda now: self.value

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        return np.full(achieved.shape[:-1], self.value)


@dataclass(frozen=True, repr=False)
class _Scaled(Reward):
    factor: float
    part: Reward

    def __repr__(self) -> str:
        return f"{self.factor!r} * {in_parentheses(self.part)}"

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return self.part.names

    @property
    def of_goals(self) -> bool:  # type: ignore[override]
        return self.part.of_goals

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = sorted(self.factor * bound for bound in self.part.bounds)
        return low, high

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        factor, value = self.factor, self.part.begin(scene, goal)
        return lambda now: factor * value(now)

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        return self.factor * self.part.of(goal, achieved, desired)


def _scaled(factor: float, part: Reward) -> Reward:
    if isinstance(part, ConstantReward):
        return ConstantReward(factor * part.value)
    return _Scaled(factor * part.factor, part.part) if isinstance(part, _Scaled) else _Scaled(factor, part)


@dataclass(frozen=True, repr=False)
class _Sum(Reward):
    parts: tuple[Reward, ...]

    def __post_init__(self) -> None:
        flat = [part.parts if isinstance(part, _Sum) else (part,) for part in self.parts]
        object.__setattr__(self, "parts", tuple(part for parts in flat for part in parts))

    def __repr__(self) -> str:
        return " + ".join(repr(part) if isinstance(part, _Scaled) else in_parentheses(part) for part in self.parts)

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return (name for part in self.parts for name in part.names)

    @property
    def of_goals(self) -> bool:  # type: ignore[override]
        return all(part.of_goals for part in self.parts)

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = zip(*(part.bounds for part in self.parts), strict=True)
        return sum(low), sum(high)

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        values = [part.begin(scene, goal) for part in self.parts]
        return lambda now: sum([value(now) for value in values])

    def of(self, goal: Goal, achieved: Goals, desired: Goals) -> Array:
        total = np.zeros(achieved.shape[:-1])
        for part in self.parts:
            total = total + part.of(goal, achieved, desired)
        return total


def in_parentheses(part: Term) -> str:
    """A part of an expression; in parentheses unless it is a call or a number."""
    text = repr(part)
    return text if isinstance(part, ConstantReward) or kind_of(part) in kinds() else f"({text})"
