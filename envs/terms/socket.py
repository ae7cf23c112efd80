"""A block with a hole, that stands still."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise, even
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import SocketName, term
from simworld.scene.rings import hole_of

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene


@term
class socket(Observed):
    """A block with a hole: where that opens, how wide and how deep it is."""

    name: SocketName = "socket"

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        name = self.name
        return (
            Field(
                f"{name}_position",
                (-0.5, -0.5, 0.0),
                (0.5, 0.5, 0.1),
                "m",
                f"middle of the hole of the {name}, at its upper end",
                (Noise("position", 0, 3),),
            ),
            even(f"{name}_hole", 2, 0.0, 0.2, "m", "free width of the hole, and its depth", None),
        )

    def begin(self, scene: "Scene") -> Read:
        body = scene.body(self.name)
        width, depth = hole_of(body)
        x, y, z = body.position
        values = [x, y, z + depth, width, depth]
        return lambda now: values
