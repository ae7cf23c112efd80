"""Flip: turn a block over, onto another of its faces."""

from simworld.building.entities import GoalTurn, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.envs.task import Task
from simworld.envs.terms import dense, grasped, grip, joints, off_table, prop, sparse, tool, turned

ID = "simworld/Flip-v0"
TASK = Task(
    name="flip",
    steps=100,
    control="ee_pose",
    scene=SceneSpec(entities=(Table(), Prop("object", ("cuboid",)), GoalTurn("object"))),
    observe=(tool(), joints(), prop("object"), grip("object")),
    goal=turned("object"),
    reward={"sparse": sparse(), "dense": dense(scale=1.0)},
    events={"grasped": grasped("object")},
    failures={"off_table": off_table("object")},
    instruction=(
        "turn {object} over to match {goal_turn}",
        "flip {object} so that it lies like {goal_turn}",
        "tip {object} over so that it matches {goal_turn}",
        "rotate {object} until it matches {goal_turn}",
    ),
    expert="flip",
)
