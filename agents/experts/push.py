"""The expert of Push."""

from simworld.agents.experts.grasping import CLOSED, Grasp, holds
from simworld.agents.experts.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command


class Expert:
    """Takes the object between the fingers, so that it does not roll or turn away, and slides it to the goal."""

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        if not holds(see):
            return self._grasp(see)
        place = see["object_position"]
        return see.move(place, [*see.desired[:2], place[2]], CLOSED)
