"""The joints of the arm."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import term

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene

_FASTER = 2.0
"""Times its largest velocity that a joint may be seen to move at: contacts push it."""


@term
class joints(Observed):
    """Where the joints of the arm are, and how they move."""

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        n = robot.arm_joints
        fastest = tuple(_FASTER * velocity for velocity in robot.max_velocity[:n])
        return (
            Field(
                "joint_positions",
                robot.lower[:n],
                robot.upper[:n],
                "rad",
                "joints of the arm, the base's first",
                (Noise("joint_position", 0, n),),
            ),
            Field(
                "joint_velocities",
                tuple(-velocity for velocity in fastest),
                fastest,
                "rad/s",
                "how they move",
                (Noise("joint_velocity", 0, n),),
            ),
        )

    def begin(self, scene: "Scene") -> Read:
        return _read


def _read(now: Instant) -> list[float]:
    n = now.world.model.arm_joints
    positions, velocities = now.world.joints()[:, :n].tolist()
    values: list[float] = positions + velocities
    return values
