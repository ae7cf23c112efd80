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
    grip,
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
from simworld.envs.things import Things, of_families

ID = "simworld/InOrder-v0"

_NAMES = ("first", "second", "third", "fourth")
_OTHERS = 2
"""At most in the way."""


def make(count: Annotated[int, Field(ge=2, le=4)] = 3, things: Things = "simple") -> Task:
    """So many things, of what a gripper takes, with up to two others in the way."""
    names = _NAMES[:count]
    order = [before(one, other, "box") for one, other in pairwise(names)]
    first, *rest = in_turn = [f"{{{thing}}}" for thing in names]
    *between, last = rest
    return Task(
        name="in_order",
        steps=(100 if things == "simple" else 125) * count,
        control="ee" if things == "simple" else "ee_pose",
        scene=SceneSpec(
            entities=(Table(), Bin("box"), *map(Prop, names), Props("other", 0, _OTHERS)),
            factors={
                "objects.*.position.x": Uniform(-0.12, 0.16),
                "objects.*.position.y": Uniform(-0.3, 0.0),
                "boxes.0.width": Uniform(0.16, 0.2),
                "boxes.0.depth": Uniform(0.16, 0.2),
            }
            | ({} if things == "simple" else of_families(count + _OTHERS)),
        ),
        observe=(tool(), joints(), *map(prop, names), bin_("box"), *map(grip, names)),
        goal=reduce(and_, [*(prop_in(thing, "box") for thing in names), *order]),
        reward={"sparse": sparse(), "dense": dense()},
        events={f"grasped_{thing}": grasped(thing) for thing in names}
        | {f"in_box_{thing}": inside(thing, "box") for thing in names}
        | {f"placed_{thing}": placed(thing, "box") for thing in names},
        failures={"wrong_order": out_of_order(), "off_table": reduce(or_, map(off_table, names))},
        instruction=(
            f"put {first} into {{box}}, then {', then '.join(rest)}",
            f"first put {first} into {{box}}, then {' and then '.join(rest)}",
            f"drop {first} into {{box}}, {''.join(f'next {thing}, ' for thing in between)}and finally {last}",
            f"fill {{box}} in this order: {', '.join(in_turn)}",
        ),
        expert="sort",
    )
