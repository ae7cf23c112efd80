"""TidyTable: put everything that is on the table into the box."""

from functools import reduce
from operator import and_, or_
from typing import Annotated

from pydantic import Field

from simworld.building.entities import Bin, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import bin_, dense, grasped, grip, inside, joints, off_table, prop, prop_in, sparse, tool
from simworld.envs.things import Things, of_families

ID = "simworld/TidyTable-v0"


def make(count: Annotated[int, Field(ge=2, le=6)] = 4, things: Things = "simple") -> Task:
    """So many things, of what a gripper takes."""
    names = [f"object_{i + 1}" for i in range(count)]
    everything = "{" + "+".join(names) + "}"
    return Task(
        name="tidy_table",
        steps=(100 if things == "simple" else 125) * count,
        control="ee" if things == "simple" else "ee_pose",
        scene=SceneSpec(
            entities=(Table(), Bin("box"), *map(Prop, names)),
            factors={
                "objects.*.position.x": Uniform(-0.12, 0.16),
                "objects.*.position.y": Uniform(-0.3, 0.0),
                "boxes.0.width": Uniform(0.17, 0.2),
                "boxes.0.depth": Uniform(0.17, 0.2),
                "boxes.0.height": Uniform(0.06, 0.09),
            }
            | ({} if things == "simple" else of_families(count)),
        ),
        observe=(tool(), joints(), *map(prop, names), bin_("box"), *map(grip, names)),
        goal=reduce(and_, (prop_in(thing, "box") for thing in names)),
        reward={"sparse": sparse(), "dense": dense()},
        events={f"grasped_{i + 1}": grasped(thing) for i, thing in enumerate(names)}
        | {f"in_box_{i + 1}": inside(thing, "box") for i, thing in enumerate(names)},
        failures={"off_table": reduce(or_, map(off_table, names))},
        instruction=(
            f"put {everything} into {{box}}",
            f"tidy up by putting {everything} into {{box}}",
            f"clear the table by putting {everything} into {{box}}",
            f"gather {everything} in {{box}}",
        ),
        expert="sort",
    )
