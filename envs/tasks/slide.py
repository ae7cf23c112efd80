"""Slide: push a puck so that it comes to rest at a goal beyond the arm's reach."""

from simworld.building.camera_place import SIDE, TOP, CameraPlace
from simworld.building.entities import CameraRig, GoalPlace, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.expressions import Constant
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import dense, friction, joints, off_table, prop, rests_at, sparse, tool

ID = "simworld/Slide-v0"
_FRONT = CameraPlace(name="front", position=(0.855, -0.615, 0.65), target=(-0.06, 0.03, 0.05))
"""From farther away than that of other tasks, so that it sees the goal."""
TASK = Task(
    name="slide",
    steps=200,
    scene=SceneSpec(
        entities=(
            Table(far=0.85),
            Prop("object", ("cylinder",)),
            GoalPlace("object", far=0.6),
            CameraRig(about=(_FRONT, SIDE, TOP)),
        ),
        factors={
            "goal.on_table": Constant(1),
            "goal.position.x": Uniform(0.28, 0.35),
            "goal.position.y": Uniform(-0.06, 0.06),
            "objects.0.position.x": Uniform(-0.09, -0.04),
            "objects.0.position.y": Uniform(-0.06, 0.06),
            "objects.0.width": Constant(0.06),
            "objects.0.height": Constant(0.03),
            "objects.0.friction": Uniform(0.005, 0.008),
        },
    ),
    observe=(tool(), joints(), prop("object"), friction("object")),
    goal=rests_at("object", within=0.05),
    reward={"sparse": sparse(), "dense": dense()},
    failures={"off_table": off_table("object")},
    instruction=(
        "push {object} so that it slides to {goal}",
        "shove {object} so that it comes to rest at {goal}",
        "make {object} slide to {goal}",
        "give {object} a push so that it stops at {goal}",
    ),
    expert="slide",
)
