"""The goal that a thing is in a hole, all the way down."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.terms.goal import Achieved, Goal, Goals
from simworld.envs.terms.prop import HIGHEST, LOWEST
from simworld.envs.terms.term import PropName, SocketName, term
from simworld.scene.shapes import bounds, turned

if TYPE_CHECKING:
    from simworld.scene.model import Scene

_ASIDE, _UP = 0.01, 0.003
"""Metres from where a thing stands in the hole, to the sides and in height, that count as all the way down."""


@term
class inserted(Goal):
    """A thing that stands as it does at the start is in the hole of a socket, all the way down to the table."""

    prop: PropName
    socket: SocketName = "socket"

    @property
    def field(self) -> Field:
        return Field("goal", LOWEST, HIGHEST, "m", f"place of the {self.prop}, at the bottom of the hole", ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        name, (x, y, z) = self.prop, scene.body(self.socket).position
        body = scene.body(name)
        return [x, y, z + bounds(turned(body.parts, body.orientation))[2]], lambda now: now.pose(name)[:3]

    def reached(self, achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
        off = np.abs(achieved - desired)
        deep: NDArray[np.bool_] = np.logical_and.reduce(off <= np.array([_ASIDE, _ASIDE, _UP], off.dtype), axis=-1)
        return deep
