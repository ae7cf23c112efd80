"""The expert of Reach."""

from simworld.agents.experts.grasping import CLOSED
from simworld.agents.experts.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command


class Expert:
    """Goes straight to the goal."""

    def __init__(self, model: RobotModel) -> None:
        pass

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        return see.move(see.achieved, see.desired, CLOSED)
