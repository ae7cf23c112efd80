"""The goal: a place that the task is about, clear of the objects."""

from typing import ClassVar

from pydantic.dataclasses import dataclass

from simworld.building.draft import Draft
from simworld.building.entities.entity import CONFIG, Entity, Families, Slots
from simworld.building.factor import Factor, number, whole
from simworld.building.placement import place_goal
from simworld.distributions.univariate import Uniform


@dataclass(frozen=True, config=CONFIG)
class GoalPlace(Entity):
    """A place in the air, or on the table for the object called `of`, where the goal is one of an object's."""

    kind: ClassVar[str] = "goal"
    rank: ClassVar[int] = 4

    of: str | None = None

    def factors(self, slots: Slots) -> Families:
        place: dict[str, Factor] = {
            "goal.position.x": number(Uniform(-0.15, 0.15), -0.3, 0.185, "m", "place of the goal"),
            "goal.position.y": number(Uniform(-0.15, 0.15), -0.35, 0.35, "m", "place of the goal"),
            "goal.position.z": number(Uniform(0.05, 0.3), 0.0, 0.45, "m", "height above the table"),
        }
        if self.of is not None:
            place["goal.on_table"] = whole(0, 0, 1, "1 where the goal is the object's place on the table, 0 in the air")
        return {"geometry": place}

    def build(self, draft: Draft, slots: Slots) -> None:
        on_table = self.of is not None and bool(draft.draw("goal.on_table"))
        target = next((standing for name, standing in draft.standing.items() if name == self.of), None)
        others = [standing for name, standing in draft.standing.items() if name != self.of]
        place_goal(draft.draw, target, others, on_table)
