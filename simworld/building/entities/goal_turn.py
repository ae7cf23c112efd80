"""The goal of how an object is to be turned: over, about an axis that lies level."""

import math
from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import Uniform
from simworld.geometry import quat_from_vector, quat_product
from simworld.scene.model import Body

_SIDEWAYS = Choice((-0.3, 0.3 - math.pi)) + Uniform(-0.3, 0.3)
"""A hand that turns it comes to point to the sides, which arms can do where they hardly can straight ahead."""
_SHOWN = (0.12, 0.27, 0.1)
"""Where the object is shown as it is to be turned, in metres: over the table, beside where hands and objects are."""


@dataclass(frozen=True)
class GoalTurn(Entity):
    """How the object called `of` is to be turned from how it stands; a copy of it aside shows that."""

    kind: ClassVar[str] = "goal_turn"
    rank: ClassVar[int] = 4

    of: str = "object"

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("goal_turn",)

    def factors(self, setting: Setting) -> Families:
        return {
            "geometry": {
                "goal.axis": number(
                    _SIDEWAYS, -math.pi, math.pi, "rad", "where the level axis points, from x towards y"
                ),
                "goal.angle": number(math.pi / 2, 0.3, math.pi, "rad", "how far it is to be turned about the axis"),
            }
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        axis, angle = draft.draw("goal.axis"), draft.draw("goal.angle")
        turn = quat_from_vector((angle * math.cos(axis), angle * math.sin(axis), 0.0))
        own = next(body for body in draft.bodies if body.name == self.of)
        draft.bodies.append(
            Body(
                name="goal_turn",
                category="goal",
                parts=own.parts,
                position=_SHOWN,
                orientation=quat_product(turn, own.orientation),
                marker=True,
                material=own.material,
            )
        )
