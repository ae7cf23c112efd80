"""BinPick: take the one thing that is wanted out of a bin full of things."""

from functools import reduce
from operator import or_
from typing import Annotated, Literal

from pydantic import Field

from simworld.building.entities import Bin, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import (
    above,
    bin_,
    dense,
    grasped,
    grip,
    inside,
    joints,
    off_table,
    prop,
    prop_above,
    prop_in,
    sparse,
    tool,
)

ID = "simworld/BinPick-v0"

KINDS = ("cuboid", "cylinder", "compound", "duck", "mug", "star")
"""What does not roll into a corner, from where fingers could not take it."""
WIDTH = 0.25
"""Metres that the bin is wide and deep."""
HEIGHT = 0.2
"""Metres that it is to be lifted to."""


def make(count: Annotated[int, Field(ge=5, le=15)] = 7, to: Literal["box", "height"] = "box") -> Task:
    """So many things in the bin, of which one is to be brought into the box, or up."""
    others = [f"other_{i}" for i in range(1, count)]
    things = ["target", *others]
    wrong = [inside(name, "box") if to == "box" else above(name, HEIGHT) for name in others]
    boxes = ("box", "bin") if to == "box" else ("bin",)
    goal = prop_in("target", "box") if to == "box" else prop_above("target", HEIGHT)
    said = (
        ("put {target} into {box}", "pick out {target} and put it into {box}", "move {target} into {box}")
        if to == "box"
        else ("lift {target}", "pick up {target}", "take {target} and lift it", "raise {target}")
    )
    return Task(
        name="bin_pick",
        steps=100 * count,
        control="ee_pose",
        scene=SceneSpec(
            entities=(
                Table(),
                *(Bin(name, most=WIDTH if name == "bin" else 0.2) for name in boxes),
                *(Prop(name, drop_into="bin") for name in things),
            ),
            factors=_factors(count, boxes.index("bin")),
        ),
        observe=(
            *(tool(), joints(), *(bin_(name) for name in boxes)),
            *(term for name in things for term in (prop(name), grip(name))),
        ),
        goal=goal,
        reward={"sparse": sparse(), "dense": dense()},
        events={"grasped": grasped("target"), "out_of_bin": ~inside("target", "bin")},
        failures={"wrong_one": reduce(or_, wrong), "off_table": reduce(or_, map(off_table, things))},
        instruction=said,
        expert="bin_pick",
    )


def _factors(count: int, number: int) -> dict[str, Distribution]:
    """Of the bin, which has a number among the boxes, and of things that are small enough for so many."""
    factors: dict[str, Distribution] = {
        f"boxes.{number}.position.x": Uniform(0.01, 0.05),
        f"boxes.{number}.position.y": Uniform(-0.16, -0.14),
        f"boxes.{number}.yaw": Uniform(-0.15, 0.15),
        f"boxes.{number}.width": Constant(WIDTH),
        f"boxes.{number}.depth": Constant(WIDTH),
        # More things are dropped from higher up, and must not leap out.
        f"boxes.{number}.height": Uniform(0.003 * count, 0.003 * count + 0.015),
    }
    for i in range(count):
        factors |= {
            f"objects.{i}.kind": Choice(KINDS),
            **{f"objects.{i}.{side}": Uniform(0.026, 0.034) for side in ("width", "depth", "height")},
            **{f"objects.{i}.drop.{axis}": Uniform(-0.7, 0.7) for axis in "xy"},
        }
    return factors
