"""The goal: a place that the task is about, clear of the objects."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import Factor, number, whole
from simworld.building.placement import place_goal
from simworld.distributions.univariate import Uniform
from simworld.scene.material import Material
from simworld.scene.model import Body, Part, Sphere

RADIUS = 0.012
"""Of the ball that marks the goal, in metres."""
COLOR = (0.15, 0.85, 0.35)


@dataclass(frozen=True)
class GoalPlace(Entity):
    """A place in the air, or for an object (`of` is its name) also on the table; a ball marks it.

    The object has `room` there, in metres, to the others, and it is at most `far` along x.
    """

    kind: ClassVar[str] = "goal"
    rank: ClassVar[int] = 4

    of: str | None = None
    room: float = 0.0
    far: float = 0.185

    @classmethod
    def example(cls) -> "GoalPlace":
        return cls("object")

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("goal",)

    def factors(self, setting: Setting) -> Families:
        place: dict[str, Factor] = {
            "goal.position.x": number(Uniform(-0.15, 0.15), -0.3, self.far, "m", "place of the goal"),
            "goal.position.y": number(Uniform(-0.15, 0.15), -0.35, 0.35, "m", "place of the goal"),
            "goal.position.z": number(Uniform(0.05, 0.3), 0.0, 0.45, "m", "height above the table"),
        }
        if self.of is not None:
            place["goal.on_table"] = whole(0, 0, 1, "1 where the goal is the object's place on the table, 0 in the air")
        return {"geometry": place}

    def build(self, draft: Draft, setting: Setting) -> None:
        on_table = self.of is not None and bool(draft.draw("goal.on_table"))
        target = next((standing for name, standing in draft.standing.items() if name == self.of), None)
        others = [standing for name, standing in draft.standing.items() if name != self.of]
        x, y, z = place_goal(draft.draw, target, others, on_table, self.room)
        draft.bodies.append(
            Body(
                name="goal",
                category="goal",
                parts=(Part(shape=Sphere(radius=RADIUS)),),
                position=(x, y, z),
                marker=True,
                material=Material(color=COLOR),
            )
        )
