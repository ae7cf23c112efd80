"""The expert of PlaceInBox."""

from simworld.agents.experts.skills.boxing import PutIn, below, is_in, top_of
from simworld.agents.experts.skills.grasping import OPEN, Grasp, holds
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.physics.control.command import Command

_BACK = 0.12
"""Metres above the container, and what stands in it, that the tool draws back to."""


class Expert:
    """Grasps the object, carries it over the walls, lets go over the floor of the box and draws back."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._put_in = Grasp(model), PutIn(model)
        self._prop, self._container = named(task, "prop"), named(task, "container")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        if holds(see, self._prop):
            return self._put_in(see, self._prop, self._container)
        if is_in(see, self._prop, self._container):
            tool = see["tool_position"]
            high = max(top_of(see, self._container), see[f"{self._prop}_position"][2] + below(see, self._prop))
            return see.move(tool, [*tool[:2], high + _BACK], OPEN, see.axis)
        return self._grasp(see, self._prop)
