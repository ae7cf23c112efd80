"""Whether a thing has left the table."""

from typing import TYPE_CHECKING

from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Goal
from simworld.envs.terms.term import PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene

_OFF_TABLE = -0.05
"""Metres above the table below which a thing has left it."""


@term
class off_table(Fact):
    """A thing has fallen off the table."""

    prop: PropName

    def told(self, scene: "Scene", goal: Goal) -> Told:
        name = self.prop
        return lambda now: now.pose(name)[2] < _OFF_TABLE
