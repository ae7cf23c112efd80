"""Where things are to be grasped: across the narrower horizontal side, however they are turned."""

import math
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from simworld.building.entities import GoalPlace, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.task import Task
from simworld.envs.terms import grip, reached, tool, tool_at
from simworld.geometry import invert, quat_to_matrix, transform_points
from simworld.scene.model import Mesh

TASK = Task(
    name="gripped",
    steps=10,
    scene=SceneSpec(entities=(Table(), Prop("block"), GoalPlace())),
    observe=(tool(), grip("block")),
    goal=tool_at(),
    reward={"reached": reached()},
    instruction="look where the block is to be grasped",
)
SIZES = {"objects.0.width": 0.03, "objects.0.depth": 0.06, "objects.0.height": 0.04}
QUARTER = math.sqrt(0.5)


def seen(factors: dict[str, Any]) -> tuple[list[float], float]:
    """The axis and the width of a grip, which is where the block is."""
    with closing(bare(EnvConfig(task=TASK, randomization=factors))) as env:
        observation, _ = env.reset(seed=3)
        whole, places = observation["observation"], env.config.interface.places
        assert whole[places["block_grip_position"]] == pytest.approx(env.world.body_pose("block")[:3], abs=1e-6)
        return whole[places["block_grip_axis"]].tolist(), float(whole[places["block_grip_width"]][0])


@pytest.mark.parametrize("yaw", [0.0, 0.5, 1.2, -0.7, 2.5])
def test_it_is_across_the_narrower_side(yaw: float) -> None:
    axis, width = seen(SIZES | {"objects.0.yaw": yaw})
    along = np.array([math.cos(yaw), math.sin(yaw)])
    assert axis == pytest.approx(along if along[0] >= 0 else -along, abs=1e-5)
    assert width == pytest.approx(0.03)


def test_of_what_is_laid_on_its_side_another_side_is_up() -> None:
    # About x by a quarter turn: the depth of 0.06 is upright, and the height of 0.04 lies across.
    laid = {"objects.0.width": 0.05, "objects.0.orientation": (QUARTER, 0.0, 0.0, QUARTER)}
    axis, width = seen(SIZES | laid)
    assert np.abs(axis) == pytest.approx([0.0, 1.0], abs=1e-5)
    assert width == pytest.approx(0.04)


@pytest.mark.parametrize("kind", ["cylinder", "sphere"])
def test_what_is_round_is_grasped_as_fingers_close_at_rest(kind: str) -> None:
    axis, width = seen({"objects.0.kind": kind, "objects.0.width": 0.05, "objects.0.yaw": 1.0})
    assert axis == [0.0, 1.0] and width == pytest.approx(0.05)


def test_of_sides_that_are_alike_it_is_that_which_takes_the_least_turn() -> None:
    for yaw in (-0.6, 0.3, 0.7, 1.0, 2.0):
        axis, _ = seen({"objects.0.yaw": yaw})
        assert abs(axis[1]) > math.cos(math.pi / 4) - 1e-6


@pytest.mark.parametrize("kind", ["can", "carton", "coffee_mug", "banana"])
@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.0])
def test_a_thing_that_has_grips_is_grasped_at_one(kind: str, yaw: float) -> None:
    with closing(bare(EnvConfig(task=TASK, randomization={"objects.0.kind": kind, "objects.0.yaw": yaw}))) as env:
        observation, _ = env.reset(seed=1)
        whole, places = observation["observation"].astype(float), env.config.interface.places
        shape = env.sample.scene.body("block").parts[0].shape
        assert isinstance(shape, Mesh)
        pose = env.world.body_pose("block")
        place, axis, width = (whole[places[f"block_grip_{what}"]] for what in ("position", "axis", "width"))
        at = transform_points(invert(pose), [place])[0]
        along = quat_to_matrix(pose[3:]).T @ [*axis, 0.0]
        near = [grip for grip in shape.asset.grips if np.allclose(grip.position, at, atol=1e-5)]
        assert any(abs(abs(np.dot(grip.axis, along)) - 1) < 1e-5 and abs(grip.width - width[0]) < 1e-6 for grip in near)
