"""Slide, Flip and Insert: their experts, and what physics makes of them."""

import math
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.building.entities import GoalTurn, Prop, Socket, Table
from simworld.building.spec import SceneSpec
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.making import bare
from simworld.envs.terms import inserted, rests_at, turned
from simworld.errors import ConfigurationError
from simworld.geometry import quat_from_vector
from simworld.physics.world import World
from simworld.rendering import make_renderer
from simworld.scene.rings import hole_of


@pytest.mark.parametrize(
    ("task", "episodes", "least", "options"),
    [
        ("Slide", 6, 5, {}),
        ("Slide", 4, 3, {"robot": "xarm6"}),
        ("Flip", 5, 5, {}),
        ("Flip", 3, 3, {"control": "joint_delta"}),
        ("Insert", 5, 5, {}),
        ("Insert", 3, 2, {"robot": "xarm6"}),
        pytest.param("Slide", 200, 188, {}, marks=pytest.mark.slow),
        pytest.param("Flip", 200, 195, {}, marks=pytest.mark.slow),
        pytest.param("Flip", 100, 97, {"robot": "iiwa"}, marks=pytest.mark.slow),
        pytest.param("Insert", 200, 170, {}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_expert_succeeds(task: str, episodes: int, least: int, options: dict[str, Any]) -> None:
    with closing(gym.make(f"simworld/{task}-v0", randomization="default", **options)) as env:
        policy = expert(EnvConfig(task=task.lower(), randomization="default", **options))
        assert evaluate(policy, env, range(episodes)).successes >= least


def made(task: str, **factors: Any) -> ManipulationEnv:
    env = bare(EnvConfig(task=task, randomization={name.replace("__", "."): value for name, value in factors.items()}))
    env.reset(seed=1)
    return env


@pytest.mark.parametrize("friction", [0.01, 0.03])
def test_a_puck_slides_as_far_as_its_friction_says(friction: float) -> None:
    with closing(made("slide", objects__0__friction=friction, objects__0__rolling_friction=0.0)) as env:
        mass = env.sample.scene.body("object").mass
        env.world.push("object", (mass * 0.4 / 0.04, 0.0, 0.0), (0.0, 0.0, 0.0))
        env.world.step()
        start, speed = env.world.body_pose("object")[0], env.world.body_velocity("object")[0]
        assert 0.3 < speed < 0.45
        env.world.step(120)
        far = speed**2 / (2 * friction * 9.81)
        assert env.world.body_pose("object")[0] - start == pytest.approx(far, rel=0.12)


def test_a_puck_that_moves_through_the_goal_has_not_reached_it() -> None:
    goal, wanted = rests_at("object"), np.array([0.3, 0.0, 0.015, 1.0])
    for rest, aside, reached in ((1.0, 0.04, True), (0.0, 0.04, False), (1.0, 0.06, False)):
        assert goal.reached(np.array([0.3, aside, 0.015, rest]), wanted) == reached
    moving = wanted * [1, 1, 1, 0]
    assert goal.reached(moving, moving) and goal.reached(wanted, moving)


@pytest.mark.parametrize("angle", [0.0, 0.1, 0.19, 0.21, 1.0, math.pi])
def test_the_distance_of_orientations_is_an_angle(angle: float) -> None:
    one, other = np.array(quat_from_vector((0.3, 0.2, 0.1))), np.array(quat_from_vector((0.0, 0.0, angle)))
    same = np.array([0.0, 0.0, 0.0, 1.0])
    goal = turned("object")
    for sign in (1, -1):
        assert goal.distance(sign * other, same) == pytest.approx(angle, abs=1e-6)
        assert goal.reached(sign * other, same) == (angle <= 0.2)
    assert goal.distance(np.stack([one, other]), same).shape == (2,)


def test_a_block_is_to_be_turned_over_from_how_it_stands() -> None:
    with closing(made("flip", objects__0__yaw=0.7)) as env:
        goal = env.task.goal
        desired, _ = goal.begin(env.sample.scene)
        start = env.sample.scene.body("object").orientation
        assert goal.distance(np.array(start), np.array(desired)) == pytest.approx(math.pi / 2, abs=1e-6)


@pytest.mark.parametrize("robot", ["panda", "xarm6", "iiwa"])
def test_how_a_block_is_to_be_turned_is_seen_all_the_time(robot: str) -> None:
    config = EnvConfig(task="flip", robot=robot, randomization="default")
    with closing(bare(config)) as env, closing(make_renderer("raster")) as renderer:
        act = expert(config)
        for seed in range(3):
            seen, _ = env.reset(seed=seed)
            scene, over, step, shares = env.sample.scene, False, 0, []
            shown, block = scene.body("goal_turn"), scene.body("object")
            assert (shown.parts, shown.material) == (block.parts, block.material)
            while not over:
                if step % 15 == 0:
                    camera = scene.camera("front").resized(96, 72)
                    frame = renderer.render(scene, env.world.state(), camera, ("segmentation", "amodal"))
                    own = scene.instances["goal_turn"]
                    shares.append((frame.segmentation == own).sum() / frame.amodal[own - 1].sum())
                seen, _, success, *_ = env.step(act(seen))
                over, step = success or step == 100, step + 1
            assert len(shares) > 2 and min(shares) > 0.9 and np.mean(shares) > 0.97


def dropped(clearance: float, aside: float) -> float:
    """How far above the bottom of the hole a peg comes to rest that is let go over it, in metres."""
    with closing(made("insert", socket__clearance=clearance)) as env:
        scene = env.sample.scene
    x, y, _ = scene.body("socket").position
    _, depth = hole_of(scene.body("socket"))
    half = scene.body("peg").position[2]
    over = {"position": (x + aside, y, depth + half + 0.002)}
    bodies = [body.model_copy(update=over) if body.name == "peg" else body for body in scene.bodies]
    with World() as world:
        world.load(scene.model_copy(update={"bodies": tuple(bodies)}))
        world.step(25)
        place = world.body_pose("peg")[:3]
    goal = inserted("peg")
    desired, _ = goal.begin(scene)
    up = float(place[2] - half)
    assert goal.reached(place, np.array(desired)) == (abs(up) <= 0.003)
    return up


def test_a_peg_falls_into_a_hole_that_is_wider_and_into_none_that_it_misses() -> None:
    assert abs(dropped(0.001, 0.0)) < 1e-3
    assert abs(dropped(0.004, 0.0015)) < 1e-3
    assert abs(dropped(0.001, 0.006)) > 0.02


@pytest.mark.parametrize("clearance", [0.0005, 0.001, 0.005])
def test_the_hole_is_as_wide_as_the_peg_and_the_clearance(clearance: float) -> None:
    with closing(made("insert", socket__clearance=clearance, objects__0__width=0.03)) as env:
        width, depth = hole_of(env.sample.scene.body("socket"))
        assert (width, depth) == (pytest.approx(0.03 + clearance), pytest.approx(0.03))


def test_what_goals_and_sockets_are_of_must_be_there() -> None:
    for entity in (GoalTurn("blok"), Socket("blok")):
        with pytest.raises(ConfigurationError, match="no prop 'blok'; did you mean 'block'"):
            SceneSpec(entities=(Table(), Prop("block"), entity))
    with pytest.raises(ConfigurationError, match="table: far must be"):
        Table(far=0.1)
