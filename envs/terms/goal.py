"""What a goal is."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.term import Term

if TYPE_CHECKING:
    from simworld.scene.model import Scene

Goals = NDArray[np.floating[Any]]

TOLERANCE = 0.025
"""Metres between what is achieved and what is desired that count as reached."""

Achieved = Callable[[Instant], Sequence[float]]
"""Reads what is achieved of the world, as many numbers as a goal is."""


class Goal(Term):
    """What is to be achieved; several are joined by `&`.

    The first three numbers of a goal are a place in the world, in metres, where it says nothing else.
    """

    what: ClassVar[str] = "a goal"

    @property
    def parts(self) -> tuple["Goal", ...]:
        """The goals that it joins, or itself."""
        return (self,)

    @property
    @abstractmethod
    def field(self) -> Field:
        """The numbers of a goal."""

    @property
    def follows(self) -> str:
        """The field that says where that is which the goal is for: by default, the first thing that it names."""
        return next((f"{name}_position" for name, _ in self.names), "")

    @abstractmethod
    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        """The desired goal of an episode, and what reads the achieved one."""

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        """Whether achieved goals (..., size) meet desired ones: by default, within TOLERANCE."""
        near: NDArray[np.bool_] = self.distance(achieved, desired) <= TOLERANCE
        return near

    def distance(self, achieved: Goals, desired: Goals) -> Goals:
        """Metres (...,) between the places of goals (..., size)."""
        difference = achieved[..., :3] - desired[..., :3]
        # The ufunc itself: what NumPy does around `sum` would show in every step.
        metres: Goals = np.sqrt(np.add.reduce(difference * difference, axis=-1))
        return metres

    def __and__(self, other: "Goal") -> "Goal":
        return _Joined((*self.parts, *other.parts))


@dataclass(frozen=True, repr=False)
class _Joined(Goal):
    """All of some goals: their numbers one after the other."""

    joined: tuple[Goal, ...]

    def __repr__(self) -> str:
        return " & ".join(map(repr, self.joined))

    @property
    def parts(self) -> tuple[Goal, ...]:
        return self.joined

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return (name for part in self.joined for name in part.names)

    @property
    def field(self) -> Field:
        fields = [part.field for part in self.joined]
        low, high = (tuple(x for field in fields for x in getattr(field, side)) for side in ("low", "high"))
        units, meanings = (dict.fromkeys(getattr(field, what) for field in fields) for what in ("unit", "meaning"))
        return Field("goal", low, high, ", ".join(units), "; ".join(meanings), ())

    @property
    def follows(self) -> str:
        return self.joined[0].follows

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        begun = [part.begin(scene) for part in self.joined]
        desired = [number for numbers, _ in begun for number in numbers]
        return desired, lambda now: [number for _, achieved in begun for number in achieved(now)]

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        met = [part.reached(*both) for part, *both in self._of_each(achieved, desired)]
        all_: NDArray[np.bool_] = np.logical_and.reduce(met)
        return all_

    def distance(self, achieved: Goals, desired: Goals) -> Goals:
        """The square root (...,) of the sum of the squares of the parts' distances."""
        metres = [part.distance(*both) for part, *both in self._of_each(achieved, desired)]
        whole: Goals = np.sqrt(np.add.reduce(np.square(metres)))
        return whole

    def _of_each(self, achieved: Goals, desired: Goals) -> Iterator[tuple[Goal, Goals, Goals]]:
        end = 0
        for part in self.joined:
            begin, end = end, end + part.field.size
            yield part, achieved[..., begin:end], desired[..., begin:end]
