"""The expert of Flip."""

import numpy as np

from simworld.agents.experts.skills.grasping import CLOSED, Grasp, holds
from simworld.agents.experts.skills.placing import steadied
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.geometry import Array, quat_product, rotated
from simworld.physics.control.command import Command

_MIDDLE, _OUT = (0.06, 0.0, 0.35), 0.12
"""Where the hand turns in the air, in metres, and how much farther in the direction that its fingers come to point."""
_FREE = 0.08
"""Metres above the table from which the hand may turn."""
_CALMLY = 0.04
"""Metres that the tool is sent ahead at most: what is flung about turns in the fingers."""


class Expert:
    """Lifts the object and turns it in the air, outwards or to the sides, where the arm is not in the way."""

    must_turn = True

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._prop = Grasp(model), named(task, "prop")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        if not holds(see, self._prop):
            return self._grasp(see, self._prop)
        x, y, z, w = see[f"{self._prop}_orientation"].tolist()
        turn = quat_product(see.desired.tolist(), (-x, -y, -z, w))
        tool = quat_product(turn, see["tool_orientation"].tolist())
        place = see[f"{self._prop}_position"]
        way = np.clip(self._way(place, tool), -_CALMLY, _CALMLY)
        command = steadied(self._grasp.carry(see, self._prop, (place + way).tolist()), see)
        return command if place[2] < _FREE else see.turn(command.displacement, tool, CLOSED)

    def _way(self, place: Array, tool: tuple[float, float, float, float]) -> Array:
        """From where the object is to where there is room to turn it."""
        pointing = np.array(rotated(tool, (0.0, 0.0, 1.0)))
        return np.array(_MIDDLE) + _OUT * pointing * [1.0, 1.0, 0.0] - place
