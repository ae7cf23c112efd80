"""What a goal is."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
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
    """What is to be achieved. The first three numbers of a goal are a place in the world, in metres."""

    what: ClassVar[str] = "a goal"

    @property
    @abstractmethod
    def field(self) -> Field:
        """The numbers of a goal."""

    @property
    @abstractmethod
    def follows(self) -> str:
        """The field of the observation that says where that is which the goal is for."""

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
