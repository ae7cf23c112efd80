"""What the motors of the arm do."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import term

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene

_STRONGER = 2.0
"""Times its greatest effort that a motor may be seen to make: some are randomized to be stronger."""


@term
class efforts(Observed):
    """Torques of the arm's motors, or forces of those that slide: by them an arm feels what it holds."""

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        n = robot.arm_joints
        most = tuple(_STRONGER * force for force in robot.max_force[:n])
        least = tuple(-force for force in most)
        errors = (Noise("joint_effort", 0, n),)
        return (Field("joint_efforts", least, most, "N m", "torques of the arm's motors, the base's first", errors),)

    def begin(self, scene: "Scene") -> Read:
        return lambda now: now.world.efforts().tolist()
