"""The tool: where it is, how it moves, and how far its fingers are open."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise, even
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import term

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene

POSITION = Field(
    "tool_position",
    (-1.0, -1.0, -0.5),
    (1.0, 1.0, 1.0),
    "m",
    "tool centre point, between the fingertips",
    (Noise("position", 0, 3),),
)


@term
class tool(Observed):
    """The tool centre point and the fingers."""

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        widest = robot.gripper.most
        return (
            POSITION,
            even("tool_orientation", 4, -1.0, 1.0, "", "quaternion x, y, z, w with w >= 0", "orientation"),
            even("tool_velocity", 3, -3.0, 3.0, "m/s", "velocity of the tool centre point", "velocity"),
            even("finger_opening", 1, -0.01, widest + 0.01, "m", "free width between the fingers", None),
        )

    def begin(self, scene: "Scene") -> Read:
        return _read


def _read(now: Instant) -> list[float]:
    world = now.world
    pose, velocity = world.tool_pose().tolist(), world.tool_velocity()[:3].tolist()
    return [*pose[:3], *with_positive_w(pose[3:]), *velocity, world.opening()]


def with_positive_w(orientation: list[float]) -> list[float]:
    """A quaternion x, y, z, w, or its opposite, which is the same orientation."""
    return orientation if orientation[3] >= 0 else [-part for part in orientation]
