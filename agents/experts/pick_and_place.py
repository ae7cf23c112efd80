"""The expert of PickAndPlace."""

from simworld.agents.experts.skills.grasping import Grasp, holds
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.physics.control.command import Command


class Expert:
    """Comes down over the object, grasps it, and brings it to the goal."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._prop = Grasp(model), named(task, "prop")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        if holds(see, self._prop):
            return self._grasp.carry(see, self._prop, see.desired[:3].tolist())
        return self._grasp(see, self._prop)
