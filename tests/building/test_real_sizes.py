"""Things of real sizes on the table: they do not overlap, nor hang over its edge."""

import numpy as np
import pytest

from simworld.assets.catalogue import vertices
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.footprints import footprint
from simworld.building.spec import SceneSpec
from simworld.geometry import Array, quat_from_yaw, transform_points
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Mesh, Part
from simworld.scene.shapes import mesh_frame
from simworld.streams import Streams

LONG_ONES = ("hammer", "screwdriver", "banana", "spoon", "spatula", "book", "plate")


def points(body: Body) -> Array:
    """What is seen of a body that is a mesh, in the world."""
    shape = body.parts[0].shape
    assert isinstance(shape, Mesh)
    frame, scales = mesh_frame(body.parts[0], shape)
    return transform_points(body.pose, transform_points(frame, vertices(shape.asset.visual_path) * scales))


@pytest.mark.parametrize("yaw", [0.0, 0.7, -2.0])
@pytest.mark.parametrize("name", ["hammer#1", "banana#2", "book#3", "can#4", "plate#5"])
def test_discs_hold_the_thing(name: str, yaw: float) -> None:
    parts = (Part(shape=Mesh(name=name)),)
    body = Body(name="it", category="it", parts=parts, orientation=quat_from_yaw(yaw))
    discs = footprint(parts, yaw)
    assert (len(discs) == 1) == name.startswith(("can", "plate"))
    inside = [np.hypot(*(points(body)[:, :2] - (x, y)).T) <= radius + 1e-9 for x, y, radius in discs]
    assert np.any(inside, axis=0).all()


def test_large_things_are_on_the_table_and_apart() -> None:
    spec = SceneSpec(entities=(Table(), Bin("box"), Prop("object", LONG_ONES), Props("object", 0, 2, LONG_ONES)))
    randomization = DEFAULT | {
        "objects.*.position.x": "uniform(-0.4, 0.185)",
        "objects.*.position.y": "uniform(-0.385, 0.385)",
    }
    for index in range(6):
        scene = sample_scene(spec, randomization, Streams(3, index)).scene
        things = [points(body) for body in scene.bodies if body.mass > 0]
        for i, seen in enumerate(things):
            assert (seen[:, :2].min(axis=0) > (-0.87, -0.47)).all() and (seen[:, :2].max(axis=0) < (0.27, 0.47)).all()
            for other in things[:i]:
                apart = np.linalg.norm(seen[:, None, :2] - other[None, ::3, :2], axis=2)
                assert apart.min() > 0.005
