"""The expert of Reach."""

from simworld.agents.experts.skills.grasping import CLOSED
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.physics.control.command import Command


class Expert:
    """Goes straight to the goal."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        pass

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        return see.move(see.achieved, see.desired, CLOSED)
