"""What a fact is: something that is so or not so, joined with others by `&` and `|`, and turned round by `~`."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from simworld.envs.terms.goal import Goal
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.reward import Reward, Value, in_parentheses

if TYPE_CHECKING:
    from simworld.scene.model import Scene

Told = Callable[[Instant], bool]


class Fact(Reward):
    """Something that is so or not at an instant; as a reward it is 1 where it is so."""

    what: ClassVar[str] = "a fact"

    @abstractmethod
    def told(self, scene: "Scene", goal: Goal) -> Told:
        """What tells it in an episode."""

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def begin(self, scene: "Scene", goal: Goal) -> Value:
        told = self.told(scene, goal)
        return lambda now: float(told(now))

    def __and__(self, other: "Fact") -> "Fact":
        return _Joined("&", self, other)

    def __or__(self, other: "Fact") -> "Fact":
        return _Joined("|", self, other)

    def __invert__(self) -> "Fact":
        return self.part if isinstance(self, _Not) else _Not(self)


@dataclass(frozen=True, repr=False)
class _Not(Fact):
    part: Fact

    def __repr__(self) -> str:
        return f"~{in_parentheses(self.part)}"

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return self.part.names

    def told(self, scene: "Scene", goal: Goal) -> Told:
        told = self.part.told(scene, goal)
        return lambda now: not told(now)


@dataclass(frozen=True, repr=False)
class _Joined(Fact):
    how: Literal["&", "|"]
    one: Fact
    other: Fact

    def __repr__(self) -> str:
        return f"{in_parentheses(self.one)} {self.how} {in_parentheses(self.other)}"

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield from self.one.names
        yield from self.other.names

    def told(self, scene: "Scene", goal: Goal) -> Told:
        one, other = self.one.told(scene, goal), self.other.told(scene, goal)
        if self.how == "&":
            return lambda now: one(now) and other(now)
        return lambda now: one(now) or other(now)
