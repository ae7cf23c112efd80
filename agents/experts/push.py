"""The expert of Push."""

from simworld.agents.experts.skills.grasping import CLOSED, Grasp, holds
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.physics.control.command import Command


class Expert:
    """Takes the object between the fingers, so that it does not roll or turn away, and slides it to the goal."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._prop = Grasp(model), named(task, "prop")

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        if not holds(see, self._prop):
            return self._grasp(see, self._prop)
        place = see[f"{self._prop}_position"]
        return see.move(place, [*see.desired[:2], place[2]], CLOSED)
