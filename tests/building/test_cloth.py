"""A cloth lies on the table, within its edges, and changes pictures alone."""

import numpy as np
import pytest

from simworld.building.entities import Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.geometry import quat_to_matrix
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Box
from simworld.scene.shapes import half_extents
from simworld.streams import Streams

SPEC = SceneSpec(entities=(Table(), Prop("object")))
ANY = NONE | {
    "cloth.there": 1,
    "cloth.width": Uniform(0.1, 1.1),
    "cloth.depth": Uniform(0.1, 0.9),
    "cloth.x": Uniform(-1.0, 1.0),
    "cloth.y": Uniform(-1.0, 1.0),
    "cloth.yaw": Uniform(-6.0, 6.0),
}


def test_it_lies_on_the_table_as_large_as_it_has_room() -> None:
    for index in range(60):
        sample = sample_scene(SPEC, ANY, Streams(2, index))
        (cloth,) = sample.scene.scenery
        (part,) = cloth.parts
        half = np.array(half_extents(part.shape))
        signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1)
        corners = (quat_to_matrix(part.orientation) @ (signs * half[:, None])).T + part.position
        table = sample.scene.body("table")
        assert isinstance(table.parts[0].shape, Box)
        reach = np.array(table.parts[0].shape.half_extents[:2]) + 1e-9
        assert (np.abs(corners[:, :2] - table.position[:2]) <= reach).all()
        assert 0 < corners[:, 2].max() < 0.001
        asked = [sample.parameters[f"cloth.{side}"] for side in ("width", "depth")]
        assert (2 * half[:2] <= np.array(asked) + 1e-9).all()
        assert half[0] / half[1] == pytest.approx(asked[0] / asked[1])


def test_there_is_none_without_a_table() -> None:
    assert sample_scene(SceneSpec(), ANY, Streams(0)).scene.scenery == ()
