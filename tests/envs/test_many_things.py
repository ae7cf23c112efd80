"""Tasks of many things: success and failures of states that are made by hand."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest
from putting import put, put_in

from simworld.color import color_name
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.making import bare
from simworld.envs.tasks.sort import COLORS


@contextmanager
def begun(task: str, **options: Any) -> Iterator[ManipulationEnv]:
    """An episode of cubes, that success does not end."""
    with closing(bare(EnvConfig(task=task, terminate_on="never", **options))) as env:
        env.reset(seed=3)
        yield env


def test_what_is_sorted_is_in_its_own_box() -> None:
    with begun("sort") as env:
        assert put_in(env, "object_1", "box_1", 0.04)["failure"] == ""
        info = put_in(env, "object_2", "box_2")
        assert not info["is_success"] and info["events"]["sorted_2"]  # type: ignore[index]
        info = put_in(env, "object_3", "box_2", -0.05)
        assert (info["is_success"], info["failure"]) == (False, "wrong_box")
        info = put_in(env, "object_3", "box_1", -0.04)
        assert (info["is_success"], info["failure"]) == (True, "")
        assert put(env, "object_1", (0.6, 0.0, -0.2), 2)["failure"] == "off_table"


@pytest.mark.parametrize(("boxes", "count"), [(2, 4), (3, 3)])
def test_things_and_their_box_are_of_one_colour(boxes: int, count: int) -> None:
    with begun("sort", boxes=boxes, count=count, randomization="visual") as env:
        for seed in range(5):
            env.reset(seed=seed)
            scene = env.sample.scene
            colors = [scene.body(f"box_{i + 1}").material.color for i in range(boxes)]
            assert len({color_name(color) for color in colors}) == boxes and set(colors) <= set(COLORS)
            for i in range(count):
                body = scene.body(f"object_{i + 1}")
                assert body.material.color == colors[i % boxes] and body.material.texture is None


def test_things_of_one_box_are_of_one_category() -> None:
    with begun("sort", by="category", count=4) as env:
        for seed in range(5):
            env.reset(seed=seed)
            one, other, third, fourth = (env.sample.scene.body(f"object_{i}").category for i in range(1, 5))
            assert one == third != other == fourth


def test_all_is_tidy_only_where_all_is_in_the_box() -> None:
    with begun("tidy_table", count=2) as env:
        assert not put_in(env, "object_1", "box", 0.04)["is_success"]
        assert put_in(env, "object_2", "box", -0.04)["is_success"]
        middle = env.sample.scene.body("box").position
        assert not put(env, "object_2", (middle[0], middle[1], 0.3), 2)["is_success"]  # it falls


def test_things_come_in_the_order_that_is_said() -> None:
    with begun("in_order", count=2) as env:
        info = put_in(env, "first", "box", 0.04)
        assert info["events"]["placed_first"] and not info["is_success"]  # type: ignore[index]
        info = put_in(env, "second", "box", -0.04)
        assert (info["is_success"], info["failure"]) == (True, "")


def test_the_wrong_order_stays_wrong() -> None:
    with begun("in_order", count=2) as env:
        assert put_in(env, "second", "box", -0.04)["failure"] == "wrong_order"
        info = put_in(env, "first", "box", 0.04)
        assert (info["is_success"], info["failure"]) == (False, "wrong_order")
        assert info["events"]["placed_first"] and info["events"]["placed_second"]  # type: ignore[index]
        assert env.reset(seed=3)[1]["failure"] == ""


def test_hindsight_knows_the_goals_of_several_things() -> None:
    with begun("in_order", count=2) as env:
        size = env.task.goal.field.size
        met = np.ones((4, size), np.float32)
        wrong = met.copy()
        for row, number in enumerate((3, 7, size - 1)):
            wrong[row, number] = 0.0
        assert env.compute_reward(wrong, met, {}).tolist() == [-1.0, -1.0, -1.0, 0.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [5, 15])
def test_a_heap_lies_in_the_bin_and_the_wanted_one_goes_into_the_box(count: int) -> None:
    with begun("bin_pick", count=count) as env:
        assert sum(body.mass > 0 for body in env.sample.scene.bodies) == count
        info = put_in(env, "target", "box", 0.04)
        assert (info["is_success"], info["failure"]) == (True, "")
        info = put_in(env, "other_3", "box", -0.04)
        assert (info["is_success"], info["failure"]) == (True, "wrong_one")
        assert put(env, "other_3", (0.6, 0.0, -0.2), 2)["failure"] == "off_table"


def test_what_is_to_be_lifted_counts_by_its_height() -> None:
    with begun("bin_pick", count=5, to="height", reward="dense") as env:
        x, y, _ = env.sample.scene.body("target").position
        low, high = ([[x, y, z]] for z in (0.1, 0.3))
        goal = [[x, y, 0.2]]
        assert env.compute_reward(high, goal, {}) == 0.0  # type: ignore[attr-defined]
        assert env.compute_reward(low, goal, {})[0] == pytest.approx(-np.tanh(0.5), rel=1e-5)  # type: ignore[attr-defined]
        assert put(env, "other_1", (x, y, 0.3), 1)["failure"] == "wrong_one"
        info = put(env, "target", (x + 0.1, y, 0.3), 1)
        assert info["is_success"] and info["events"]["out_of_bin"]  # type: ignore[index]
