"""Goals that are joined: their numbers one after the other, all of them reached, one distance."""

from contextlib import closing

import numpy as np
import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.envs.config import EnvConfig
from simworld.envs.goal_env import GoalEnv
from simworld.envs.making import bare
from simworld.envs.task import Task
from simworld.envs.terms import dense, parse_term, prop, prop_at, prop_in, sparse, tool
from simworld.envs.terms.goal import Goal
from simworld.errors import ConfigurationError

BOTH = prop_at("a") & prop_in("b", "box")
TASK = Task(
    name="both",
    steps=10,
    scene=SceneSpec(entities=(Table(), Bin("box"), Prop("a"), Prop("b"), GoalPlace("a"))),
    observe=(tool(), prop("a"), prop("b")),
    goal=BOTH,
    reward={"sparse": sparse(), "dense": dense()},
    instruction="a to the goal and b in the box",
)


def test_a_joined_goal_has_the_numbers_of_its_parts() -> None:
    assert BOTH.parts == (prop_at("a"), prop_in("b", "box")) and prop_at("a").parts == (prop_at("a"),)
    assert BOTH.field.size == 7 and BOTH.follows == "a_position"
    assert [name for name, _ in BOTH.names] == ["a", "goal", "b", "box"]
    assert parse_term(f"({BOTH!r}) & prop_at('c')", Goal) == BOTH & prop_at("c")


@pytest.mark.parametrize("text", ["prop_at(a) & reached()", "reached() & prop_at(a)", "prop_at(a) | prop_at(b)"])
def test_goals_are_joined_with_goals_alone(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a (fact|goal)"):
        parse_term(text, Goal)


def test_it_is_reached_where_all_parts_are() -> None:
    desired = np.array([0.0, 0.0, 0.02, 0.1, 0.2, 0.0, 1.0])
    achieved = np.stack([desired] * 4)
    achieved[1, 0] += 0.03
    achieved[2, 6] = 0.0
    achieved[3, :2] += 0.01
    assert BOTH.reached(achieved, desired).tolist() == [True, False, False, True]
    apart = desired + [0.3, 0, 0, 0, 0.4, 0, -1]
    assert BOTH.distance(apart, desired) == pytest.approx(0.5)


def test_an_environment_has_it() -> None:
    with closing(bare(EnvConfig(task=TASK, reward="dense"))) as env:
        assert isinstance(env, GoalEnv)
        seen, info = env.reset(seed=0)
        scene = env.sample.scene
        wanted = [*scene.body("goal").position, *scene.body("box").position, 1.0]
        assert seen["desired_goal"] == pytest.approx(wanted, abs=1e-6)
        assert seen["achieved_goal"][:3] == pytest.approx(scene.body("a").position, abs=1e-4)
        _, reward, *_ = env.step(np.zeros(4))
        assert not info["is_success"] and -1.0 <= reward <= -0.1
