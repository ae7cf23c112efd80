"""The expert of PickAndPlace."""

from simworld.agents.experts.grasping import Grasp, holds
from simworld.agents.experts.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command


class Expert:
    """Comes down over the object, grasps it, and brings it to the goal."""

    def __init__(self, model: RobotModel) -> None:
        self._grasp = Grasp(model)

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        return self._grasp.carry(see, see.desired[:3].tolist()) if holds(see) else self._grasp(see)
