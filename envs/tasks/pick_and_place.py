"""PickAndPlace: bring an object to a goal in the air or on the table."""

from simworld.building.entities import GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import dense, grasped, grip, joints, off_table, prop, prop_at, sparse, staged, tool

ID = "simworld/PickAndPlace-v0"
TASK = Task(
    name="pick_and_place",
    steps=75,
    scene=SceneSpec(
        entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")),
        factors={
            "goal.on_table": Choice((0, 1)),
            "goal.position.x": Uniform(-0.12, 0.12),
            "goal.position.z": Uniform(0.06, 0.25),
        },
    ),
    observe=(tool(), joints(), prop("object"), grip("object")),
    goal=prop_at("object", "goal"),
    reward={"sparse": sparse(), "dense": dense(), "staged": staged("object")},
    events={"grasped": grasped("object")},
    failures={"off_table": off_table("object")},
    instruction=(
        "bring {object} to {goal}",
        "pick up {object} and bring it to {goal}",
        "move {object} to {goal}",
        "take {object} and carry it to {goal}",
    ),
    expert="pick_and_place",
)
