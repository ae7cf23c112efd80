"""Sort: put every thing into the box of its kind, or of its colour."""

from functools import reduce
from operator import and_, or_
from typing import Annotated, Literal

from pydantic import Field

from simworld.assets.catalogue import shipped
from simworld.building.entities import Bin, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import bin_, dense, grasped, grip, inside, joints, off_table, prop, prop_in, sparse, tool
from simworld.envs.things import HANDY, Things, of_families
from simworld.errors import ConfigurationError

ID = "simworld/Sort-v0"

KINDS = ("cuboid", "cylinder", "sphere", *shipped())
COLORS = (
    (0.85, 0.1, 0.1),
    (1.0, 0.55, 0.05),
    (0.95, 0.9, 0.15),
    (0.15, 0.6, 0.2),
    (0.15, 0.3, 0.8),
    (0.5, 0.15, 0.6),
    (1.0, 0.6, 0.75),
    (0.45, 0.27, 0.1),
)
"""Red, orange, yellow, green, blue, purple, pink and brown."""

PLACES = ((0.06, 0.24), (-0.2, 0.24), (-0.22, -0.24))
"""Of the boxes."""


def make(
    count: Annotated[int, Field(ge=2, le=4)] = 3,
    boxes: Annotated[int, Field(ge=2, le=3)] = 2,
    by: Literal["color", "category"] = "color",
    things: Things = "simple",
) -> Task:
    """So many things, of what a gripper takes, and boxes; of what is alike, all goes into one box."""
    if boxes > count:
        raise ConfigurationError(f"boxes: must be at most count, one thing for each, got {boxes} for {count} things")
    names = [f"object_{i + 1}" for i in range(count)]
    bins = [f"box_{i + 1}" for i in range(boxes)]
    into = {thing: bins[i % boxes] for i, thing in enumerate(names)}
    wrong = [inside(thing, box) for thing in names for box in bins if box != into[thing]]
    return Task(
        name="sort",
        steps=(100 if things == "simple" else 125) * count,
        control="ee" if things == "simple" else "ee_pose",
        scene=SceneSpec(
            entities=(Table(), *(Bin(box, PLACES[i]) for i, box in enumerate(bins)), *map(Prop, names)),
            factors=_places(boxes)
            | ({} if things == "simple" else _larger(count, boxes))
            | (_colors(count, boxes) if by == "color" else _kinds(count, boxes, things)),
        ),
        observe=(tool(), joints(), *map(prop, names), *map(bin_, bins), *map(grip, names)),
        goal=reduce(and_, (prop_in(thing, box) for thing, box in into.items())),
        reward={"sparse": sparse(), "dense": dense()},
        events={f"grasped_{i + 1}": grasped(thing) for i, thing in enumerate(names)}
        | {f"sorted_{i + 1}": inside(thing, into[thing]) for i, thing in enumerate(names)},
        failures={"wrong_box": reduce(or_, wrong), "off_table": reduce(or_, map(off_table, names))},
        instruction=_instruction(into, bins),
        expert="sort",
    )


def _places(boxes: int) -> dict[str, Distribution]:
    factors: dict[str, Distribution] = {
        "objects.*.position.x": Uniform(-0.1, 0.16),
        "objects.*.position.y": Uniform(-0.28, 0.02),
    }
    for i, (x, y) in enumerate(PLACES[:boxes]):
        factors |= {
            f"boxes.{i}.position.x": Uniform(x - 0.02, x + 0.02),
            f"boxes.{i}.position.y": Uniform(y - 0.02, y + 0.02),
        }
    return factors


def _colors(count: int, boxes: int) -> dict[str, Distribution]:
    """Things are of the colour of their box, all over."""
    factors: dict[str, Distribution] = {}
    for i in range(count):
        factors |= {
            f"objects.{i}.color": Dealt(COLORS, i % boxes, "sorting"),
            f"objects.{i}.texture": Constant("none"),
            f"objects.{i}.painted": Constant(1),
        }
    for i in range(boxes):
        factors |= {f"boxes.{i}.color": Dealt(COLORS, i, "sorting"), f"boxes.{i}.texture": Constant("none")}
    return factors


def _kinds(count: int, boxes: int, things: Things) -> dict[str, Distribution]:
    kinds = KINDS if things == "simple" else HANDY
    return {f"objects.{i}.kind": Dealt(kinds, i % boxes, "sorting") for i in range(count)}


def _larger(count: int, boxes: int) -> dict[str, Distribution]:
    wide = {f"boxes.{i}.{side}": Uniform(0.16, 0.18) for i in range(boxes) for side in ("width", "depth")}
    return of_families(count, boxes) | wide


def _instruction(into: dict[str, str], bins: list[str]) -> tuple[str, ...]:
    """What is to be done, said in several ways, of which each tells all boxes."""
    alike = {box: "{" + "+".join(thing for thing, its in into.items() if its == box) + "}" for box in bins}
    ways = (("put", "into"), ("sort", "into"), ("place", "inside"), ("move", "into"))
    *most, last = bins
    return tuple(
        f"{begin} {', '.join(f'{alike[box]} {where} {{{box}}}' for box in most)}, and {alike[last]} {where} {{{last}}}"
        for begin, where in ways
    )
