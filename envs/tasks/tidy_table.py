"""TidyTable: put everything that is on the table into the box."""

from functools import reduce
from operator import and_, or_
from typing import Annotated

from pydantic import Field

from simworld.building.entities import Bin, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import bin_, dense, grasped, inside, joints, off_table, prop, prop_in, sparse, tool

ID = "simworld/TidyTable-v0"


def make(count: Annotated[int, Field(ge=2, le=6)] = 4) -> Task:
    """So many things."""
    things = [f"object_{i + 1}" for i in range(count)]
    everything = "{" + "+".join(things) + "}"
    return Task(
        name="tidy_table",
        steps=100 * count,
        scene=SceneSpec(
            entities=(Table(), Bin("box"), *map(Prop, things)),
            factors={
                "objects.*.position.x": Uniform(-0.12, 0.16),
                "objects.*.position.y": Uniform(-0.3, 0.0),
                "boxes.0.width": Uniform(0.17, 0.2),
                "boxes.0.depth": Uniform(0.17, 0.2),
                "boxes.0.height": Uniform(0.06, 0.09),
            },
        ),
        observe=(tool(), joints(), *map(prop, things), bin_("box")),
        goal=reduce(and_, (prop_in(thing, "box") for thing in things)),
        reward={"sparse": sparse(), "dense": dense()},
        events={f"grasped_{i + 1}": grasped(thing) for i, thing in enumerate(things)}
        | {f"in_box_{i + 1}": inside(thing, "box") for i, thing in enumerate(things)},
        failures={"off_table": reduce(or_, map(off_table, things))},
        instruction=(
            f"put {everything} into {{box}}",
            f"tidy up and put {everything} into {{box}}",
            f"clear the table, and put {everything} into {{box}}",
            f"gather {everything} in {{box}}",
        ),
        expert="sort",
    )
