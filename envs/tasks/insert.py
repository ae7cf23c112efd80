"""Insert: put a peg into the hole of a block, all the way down."""

from simworld.building.entities import Prop, Socket, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.task import Task
from simworld.envs.terms import dense, grasped, inserted, joints, off_table, prop, socket, sparse, tool

ID = "simworld/Insert-v0"
TASK = Task(
    name="insert",
    steps=175,
    scene=SceneSpec(
        entities=(Table(), Prop("peg", ("cylinder",)), Socket("peg")),
        factors={"objects.0.width": Uniform(0.024, 0.036), "objects.0.height": Uniform(0.08, 0.095)},
    ),
    observe=(tool(), joints(), prop("peg"), socket()),
    goal=inserted("peg"),
    reward={"sparse": sparse(), "dense": dense()},
    events={"grasped": grasped("peg")},
    failures={"off_table": off_table("peg")},
    instruction=(
        "put {peg} into the hole in {socket}",
        "insert {peg} into {socket}",
        "stick {peg} into {socket}",
        "lower {peg} into the hole in {socket}",
    ),
    expert="insert",
)
