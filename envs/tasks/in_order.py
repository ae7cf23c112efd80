"""InOrder: put some things into the box, one after the other, in the order that is said."""

from functools import reduce
from itertools import pairwise
from operator import and_, or_
from typing import Annotated

from pydantic import Field

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import (
    before,
    bin_,
    dense,
    grasped,
    inside,
    joints,
    off_table,
    out_of_order,
    placed,
    prop,
    prop_in,
    sparse,
    tool,
)

ID = "simworld/InOrder-v0"

_NAMES = ("first", "second", "third", "fourth")


def make(count: Annotated[int, Field(ge=2, le=4)] = 3) -> Task:
    """So many things, with up to two others in the way."""
    things = _NAMES[:count]
    order = [before(one, other, "box") for one, other in pairwise(things)]
    first, *rest = things_said = [f"{{{thing}}}" for thing in things]
    return Task(
        name="in_order",
        steps=100 * count,
        scene=SceneSpec(
            entities=(Table(), Bin("box"), *map(Prop, things), Props("other", 0, 2)),
            factors={
                "objects.*.position.x": Uniform(-0.12, 0.16),
                "objects.*.position.y": Uniform(-0.3, 0.0),
                "boxes.0.width": Uniform(0.16, 0.2),
                "boxes.0.depth": Uniform(0.16, 0.2),
            },
        ),
        observe=(tool(), joints(), *map(prop, things), bin_("box")),
        goal=reduce(and_, [*(prop_in(thing, "box") for thing in things), *order]),
        reward={"sparse": sparse(), "dense": dense()},
        events={f"grasped_{thing}": grasped(thing) for thing in things}
        | {f"in_box_{thing}": inside(thing, "box") for thing in things}
        | {f"placed_{thing}": placed(thing, "box") for thing in things},
        failures={"wrong_order": out_of_order(), "off_table": reduce(or_, map(off_table, things))},
        instruction=(
            f"put {first} into {{box}}, then {', then '.join(rest)}",
            f"first put {first} into {{box}}, then {' and then '.join(rest)}",
            f"drop {first} into {{box}}, after that {', after that '.join(rest)}",
            f"fill {{box}} in this order: {', '.join(things_said)}",
        ),
        expert="sort",
    )
