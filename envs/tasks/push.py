"""Push: bring an object over the table to a goal on it, where the gripper stays closed."""

from simworld.building.entities import GoalPlace, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.expressions import Constant
from simworld.envs.task import Task
from simworld.envs.terms import dense, grip, joints, off_table, prop, prop_at, sparse, tool

ID = "simworld/Push-v0"
TASK = Task(
    name="push",
    steps=100,
    scene=SceneSpec(entities=(Table(), Prop("object"), GoalPlace("object")), factors={"goal.on_table": Constant(1)}),
    observe=(tool(), joints(), prop("object"), grip("object")),
    goal=prop_at("object", "goal"),
    reward={"sparse": sparse(), "dense": dense()},
    failures={"off_table": off_table("object")},
    instruction=(
        "push {object} to {goal}",
        "slide {object} over the table to {goal}",
        "push {object} along the table to {goal}",
        "shove {object} over to {goal}",
    ),
    expert="push",
)
