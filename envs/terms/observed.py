"""What an observation term is."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from simworld.envs.fields import Field
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.term import Term

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene

Read = Callable[[Instant], Sequence[float]]
"""Reads the numbers of a term's fields, one field after the other."""


class Observed(Term):
    """Some fields of the state: what they are, and how they are read of the world."""

    what: ClassVar[str] = "an observation term"

    @abstractmethod
    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        """The fields, for a robot."""

    @abstractmethod
    def begin(self, scene: "Scene") -> Read:
        """What reads them in an episode; what stays the same in it is computed once."""
