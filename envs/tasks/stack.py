"""Stack: put blocks upon each other, at a goal or where the first one lies, and let go; they must stand."""

from functools import reduce
from operator import or_
from typing import Annotated, Literal

from pydantic import Field

from simworld.building.entities import GoalPlace, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.expressions import Constant
from simworld.envs.task import Task
from simworld.envs.terms import dense, grasped, grip, joints, off_table, prop, sparse, stacked, tool

ID = "simworld/Stack-v0"


def make(count: Annotated[int, Field(ge=2, le=4)] = 2, at: Literal["goal", "first"] = "goal") -> Task:
    """The task of `count` blocks, of which the first goes to the goal, or stays where it is."""
    goal = stacked("block", count, "goal" if at == "goal" else "block_1")
    places = (GoalPlace("block_1", room=0.06),) if at == "goal" else ()
    return Task(
        name="stack",
        steps=100 * count,
        control="ee_pose",
        scene=SceneSpec(
            entities=(Table(), *(Prop(name, ("cuboid",)) for name in goal.props), *places),
            factors={"goal.on_table": Constant(1)} if places else {},
        ),
        observe=(tool(), joints(), *(see(name) for name in goal.props for see in (prop, grip))),
        goal=goal,
        reward={"sparse": sparse(), "dense": dense()},
        events={"grasped": reduce(or_, map(grasped, goal.props))},
        failures={"off_table": reduce(or_, map(off_table, goal.props))},
        instruction=_sentences([f"{{{name}}}" for name in goal.props], at),
        expert="stack",
    )


def _sentences(blocks: list[str], at: str) -> tuple[str, ...]:
    first, second, *rest = blocks
    more = "".join(f", then {block} on top" for block in rest)
    if at == "first":
        return (
            f"stack {second} on {first}{more}",
            f"put {second} on top of {first}{more}",
            f"leave {first} where it is and stack {second} on it{more}",
            f"use {first} as the base of a tower and put {second} on top{more}",
        )
    return (
        f"put {first} at {{goal}}, then {second} on top{more}",
        f"make a stack at {{goal}}: {', then '.join(blocks)}",
        f"move {first} to {{goal}} and stack {second} on it{more}",
        f"build a tower at {{goal}}: {', then '.join(blocks)}",
    )
