"""How rough a thing is to the table."""

from typing import TYPE_CHECKING

from simworld.envs.fields import Field, even
from simworld.envs.terms.observed import Observed, Read
from simworld.envs.terms.term import PropName, term

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel
    from simworld.scene.model import Scene


@term
class friction(Observed):
    """The coefficient with which a thing slides on the table, by which it is known how far it will."""

    name: PropName

    def fields(self, robot: "RobotModel") -> tuple[Field, ...]:
        meaning = f"Coulomb coefficient of the {self.name} on the table"
        return (even(f"{self.name}_friction", 1, 0.0, 1.0, "", meaning, None),)

    def begin(self, scene: "Scene") -> Read:
        # Bullet multiplies those of the two that touch.
        values = [scene.body(self.name).friction * scene.body("table").friction]
        return lambda now: values
