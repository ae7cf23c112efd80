"""PlaceInBox: grab an object, put it in the box and let go; it must rest inside."""

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import (
    bin_,
    dense,
    grasped,
    grip,
    inside,
    joints,
    off_table,
    prop,
    prop_in,
    sparse,
    staged,
    tool,
)

ID = "simworld/PlaceInBox-v0"
TASK = Task(
    name="place_in_box",
    steps=100,
    scene=SceneSpec(
        entities=(Table(), Bin("box"), Prop("object"), Props("object", 0, 7)),
        factors={"objects.*.position.y": Uniform(-0.25, 0.0)},
    ),
    observe=(tool(), joints(), prop("object"), bin_("box"), grip("object")),
    goal=prop_in("object", "box"),
    reward={"sparse": sparse(), "dense": dense(), "staged": staged("object")},
    events={"grasped": grasped("object"), "in_box": inside("object", "box")},
    failures={"off_table": off_table("object")},
    instruction=(
        "put {object} into {box}",
        "pick up {object} and put it into {box}",
        "place {object} inside {box}",
        "grab {object} and let go of it in {box}",
        "drop {object} into {box}",
    ),
    expert="place_in_box",
)
