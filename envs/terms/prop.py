"""A thing that moves."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise, even
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import PropName, term
from simworld.envs.terms.tool import with_positive_w
from simworld.scene.shapes import bounds

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene

# The floor is at z = -0.4. What is flung farther is observed at the bound.
LOWEST, HIGHEST = (-3.0, -3.0, -0.5), (3.0, 3.0, 1.0)
_LINEAR, _ANGULAR = 10.0, 100.0


@term
class prop(Observed):
    """A thing that moves: whether it is grasped, where it is, how it moves, and its size."""

    name: PropName

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        name = self.name
        fastest = (_LINEAR,) * 3 + (_ANGULAR,) * 3
        noise = Noise("velocity", 0, 3), Noise("angular_velocity", 3, 6)
        return (
            even(f"{name}_grasped", 1, 0.0, 1.0, "", f"1 where both fingers squeeze the {name}", None),
            Field(f"{name}_position", LOWEST, HIGHEST, "m", f"origin of the {name}", (Noise("position", 0, 3),)),
            even(f"{name}_orientation", 4, -1.0, 1.0, "", "quaternion x, y, z, w with w >= 0", "orientation"),
            Field(
                f"{name}_velocity",
                tuple(-most for most in fastest),
                fastest,
                "m/s, rad/s",
                "linear, then angular",
                noise,
            ),
            even(f"{name}_half_extents", 3, 0.0, 0.25, "m", "half its size along its own axes", None),
        )

    def begin(self, scene: "Scene") -> Read:
        name, half = self.name, bounds(scene.body(self.name).parts)

        def read(now: Instant) -> list[float]:
            grasped, pose = now.grasped(name), now.pose(name)
            return [float(grasped), *pose[:3], *with_positive_w(pose[3:]), *now.velocity(name), *half]

        return read
