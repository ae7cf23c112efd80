"""Geometry: what things are, how large, and where.

The table spans x -0.85..0.25, y -0.45..0.45. The largest footprints are 0.065 m about an object and 0.162 m about the
box; what is drawn within these bounds is on the table and clear of the robot's base at x = -0.6. What varies in every
episode whatever the randomization is the task itself: where objects, box and goal are.
"""

from collections.abc import Mapping
from math import pi

from simworld.assets.catalogue import PRIMITIVES, shipped
from simworld.building.factor import OBJECTS, SEEDS, Factor, name, number, rotation, whole
from simworld.distributions.univariate import Uniform

KINDS = (*PRIMITIVES, *shipped())
"""What an object may be."""

_OBJECT_X, _OBJECT_Y = (-0.4, 0.185), (-0.385, 0.385)
_BOX_X, _BOX_Y = (-0.3, 0.088), (-0.288, 0.288)

FACTORS: Mapping[str, Factor] = {
    "objects.count": whole(1, 1, 8, "objects on the table: the task's, and others in its way"),
    "objects.*.kind": name("cuboid", KINDS, "its shape", *OBJECTS),
    "objects.*.seed": whole(0, 0, SEEDS, "which compound it is", *OBJECTS),
    "objects.*.width": number(
        0.04, 0.01, 0.1, "m", "size along x; of what is round and of meshes, the width", *OBJECTS
    ),
    "objects.*.depth": number(0.04, 0.01, 0.1, "m", "size along y, of cuboids and compounds", *OBJECTS),
    "objects.*.height": number(0.04, 0.01, 0.1, "m", "size along z, of cuboids, cylinders and compounds", *OBJECTS),
    **{
        f"objects.*.stretch.{axis}": number(
            1.0, 0.5, 2.0, "", f"times the size of a mesh along its own {axis}", *OBJECTS
        )
        for axis in "xyz"
    },
    "objects.*.position.x": number(Uniform(-0.12, 0.12), *_OBJECT_X, "m", "place on the table", *OBJECTS),
    "objects.*.position.y": number(Uniform(-0.15, 0.15), *_OBJECT_Y, "m", "place on the table", *OBJECTS),
    "objects.*.orientation": rotation("how it is laid down before it is turned about z", *OBJECTS),
    "objects.*.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z", *OBJECTS),
    "box.position.x": number(0.0, *_BOX_X, "m", "place on the table"),
    "box.position.y": number(0.22, *_BOX_Y, "m", "place on the table"),
    "box.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z"),
    "box.width": number(0.16, 0.08, 0.2, "m", "free width along x"),
    "box.depth": number(0.16, 0.08, 0.2, "m", "free width along y"),
    "box.height": number(0.06, 0.01, 0.15, "m", "height of the walls above the floor"),
    "box.wall": number(0.008, 0.002, 0.014, "m", "thickness of the walls and of the floor"),
    "goal.on_table": whole(0, 0, 1, "1 where the goal is the object's place on the table, 0 in the air"),
    "goal.position.x": number(Uniform(-0.15, 0.15), -0.3, _OBJECT_X[1], "m", "place of the goal"),
    "goal.position.y": number(Uniform(-0.15, 0.15), -0.35, 0.35, "m", "place of the goal"),
    "goal.position.z": number(Uniform(0.05, 0.3), 0.0, 0.45, "m", "height above the table"),
    "table.height": number(0.0, -0.05, 0.05, "m", "above the foot of the robot"),
    "table.tilt.x": number(0.0, -0.2, 0.2, "rad", "about x, of the table and all on it: gravity turns the other way"),
    "table.tilt.y": number(0.0, -0.2, 0.2, "rad", "about y, of the table and all on it: gravity turns the other way"),
}
