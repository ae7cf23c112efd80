"""Reach: bring the tool centre point to a goal in the air."""

from simworld.building.entities import GoalPlace, Table
from simworld.building.spec import SceneSpec
from simworld.envs.task import Task
from simworld.envs.terms import dense, joints, sparse, tool, tool_at

ID = "simworld/Reach-v0"
TASK = Task(
    name="reach",
    steps=50,
    scene=SceneSpec(entities=(Table(), GoalPlace())),
    observe=(tool(), joints()),
    goal=tool_at("goal"),
    reward={"sparse": sparse(), "dense": dense()},
    instruction=(
        "move the gripper to {goal}",
        "reach for {goal}",
        "move the fingers to {goal}",
        "bring the hand to {goal}",
    ),
    expert="reach",
)
