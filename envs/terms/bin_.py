"""A container that stands still."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, Noise, even
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import BinName, term
from simworld.scene.shapes import inner_size

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene


@term
class bin_(Observed):
    """A container: where it stands, how it is turned, and what fits in."""

    name: BinName

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        name = self.name
        return (
            Field(
                f"{name}_position",
                (-0.5, -0.5, -0.1),
                (0.5, 0.5, 0.1),
                "m",
                f"middle of the floor of the {name}, its upper face",
                (Noise("position", 0, 3),),
            ),
            even(f"{name}_direction", 2, -1.0, 1.0, "", "cosine and sine of its turn about z", None),
            even(f"{name}_inner", 3, 0.0, 0.25, "m", "its free width, depth and height", None),
        )

    def begin(self, scene: "Scene") -> Read:
        body = scene.body(self.name)
        _, _, z, w = body.orientation
        values = [*body.position, 1 - 2 * z * z, 2 * z * w, *inner_size(body)]
        return lambda now: values
