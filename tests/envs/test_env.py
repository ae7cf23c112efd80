"""The environments: Gymnasium's and stable-baselines3's contracts, options, goals and resources."""

import ctypes
import gc
import os
import warnings
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError, RenderError
from simworld.physics.bullet import bullet
from simworld.randomization.presets import DEFAULT


def make(env_id: str = "simworld/PlaceInBox-v0", **options: Any) -> ManipulationEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, ManipulationEnv)
    return env


@pytest.mark.parametrize("env_id", shipped())
def test_the_checkers_pass_without_warnings(env_id: str) -> None:
    env = make(env_id, randomization="none", render_mode="rgb_array", render_width=64, render_height=48)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env)
        sb3_check_env(env)
    env.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rewrd": "sparse"}, "unexpected keyword argument 'rewrd'; did you mean 'reward'"),
        ({"reward": "sprase"}, "reward: unknown 'sprase'; did you mean 'sparse'"),
        ({"task": "reach"}, "unexpected keyword argument 'task'"),
        ({"control": "eepose"}, "control: unknown 'eepose'; did you mean 'ee_pose'"),
        ({"render_width": 0}, "render_width: .*greater than or equal to 1, got 0"),
        ({"render_height": "48"}, "render_height: .*integer, got '48'"),
        ({"randomization": "defalt"}, r"^randomization: no preset 'defalt'; did you mean 'default'\?$"),
        (
            {"randomization": {"objects.*.kind": "cubiod"}},
            r"^objects\.\*\.kind: must be a kind of those that `simworld objects` lists, got 'cubiod'; "
            r"did you mean 'cuboid'\?$",
        ),
        ({"randomization": 3}, "randomization: expected one of"),
        ({"randomization": {"objects.*.mas": 0.1}}, "did you mean 'objects.*.mass'"),
    ],
)
def test_bad_options_are_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make(**options)


@pytest.mark.skipif(bool(os.environ.get("DISPLAY")), reason="there is a display")
def test_a_window_without_a_display_is_a_clear_error() -> None:
    with pytest.raises(RenderError, match="no display"):
        gym.make("simworld/Reach-v0", render_mode="human")


def test_bad_actions_and_reset_options_are_refused() -> None:
    env = make()
    with pytest.raises(ConfigurationError, match="call reset"):
        _ = env.sample
    env.reset(seed=0)
    for action in (np.zeros(3), np.array([0, 0, np.nan, 0])):
        with pytest.raises(ConfigurationError, match="4 finite numbers"):
            env.step(action)
    with pytest.raises(ConfigurationError, match="unknown reset option 'indx'"):
        env.reset(options={"indx": 3})
    with pytest.raises(ConfigurationError, match="at least 0, got -1"):
        env.reset(options={"index": -1})
    with pytest.raises(ConfigurationError, match="index: must be a whole number, at least 0, got True"):
        env.reset(options={"index": True})
    env.close()


def test_an_episode_is_named_by_seed_and_index() -> None:
    env = make(randomization="default")
    env.reset(seed=5)
    env.reset()
    third, _ = env.reset()
    assert env.episode == (5, 2)
    drawn = env.parameters
    again, _ = env.reset(seed=5, options={"index": 2})
    assert env.parameters == drawn
    assert all(np.array_equal(third[key], again[key]) for key in third)
    env.close()


@pytest.mark.parametrize("env_id", shipped())
def test_parameters_are_what_was_drawn(env_id: str) -> None:
    env = make(env_id, randomization="default")
    env.reset(seed=1)
    drawn = env.parameters
    assert drawn == env.sample.parameters
    space = env.config.scene.space
    assert {space.starred(name) for name in drawn} <= set(space.nominal)
    masses = {int(name.split(".")[1]): value for name, value in drawn.items() if name.endswith(".mass")}
    moved = [body.mass for body in env.sample.scene.bodies if body.mass > 0]
    assert moved == [masses[number] for number in sorted(masses)]
    env.close()


@pytest.mark.parametrize("env_id", shipped())
@pytest.mark.parametrize("reward", ["sparse", "dense"])
def test_rewards_are_vectorized_bounded_and_best_at_the_goal(env_id: str, reward: str) -> None:
    env = make(env_id, reward=reward)
    size = env.task.goal.field.size
    generator = np.random.default_rng(0)
    achieved = generator.uniform(-0.3, 0.3, (50, size)).astype(np.float32)
    desired = generator.uniform(-0.3, 0.3, (50, size)).astype(np.float32)
    if size % 3 == 1:
        achieved[:, -1], desired[:, -1] = generator.integers(0, 2, 50), generator.integers(0, 2, 50)
    many = env.compute_reward(achieved, desired, [{}] * 50)
    assert many.shape == (50,)
    assert ((many >= -1) & (many <= 0)).all()
    for i in range(50):
        assert env.compute_reward(achieved[i], desired[i], {}) == many[i]
        assert (many[i] == 0) == env.compute_terminated(achieved[i], desired[i], {})
    assert (env.compute_reward(desired, desired, {}) == 0).all()
    assert not env.compute_truncated(achieved, desired, {}).any()
    env.close()


def test_hindsight_goals_of_place_in_box() -> None:
    reached = make().task.goal.reached
    inside, beside = np.array([0.0, 0.2, 0.03, 1.0]), np.array([0.0, 0.2, 0.03, 0.0])
    wanted = np.array([0.05, 0.22, 0.008, 1.0])
    assert reached(inside, wanted)
    assert not reached(beside, wanted)
    assert reached(beside, beside + np.array([0.02, 0, 0, 0]))
    assert not reached(beside, beside + np.array([0.03, 0, 0, 0]))


def memory() -> float:
    """Megabytes in use, without what the C library keeps of what was given back."""
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library than GNU's
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def clients() -> int:
    return sum(bullet.isConnected(client) for client in range(64))


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads memory from /proc")
def test_a_thousand_environments_leave_nothing_behind() -> None:
    def cycle(seed: int) -> None:
        kinds = ("sphere", "cylinder", "cuboid", "duck")
        some = DEFAULT | {"objects.count": 3, "objects.*.kind": kinds[seed % 4]}
        env = make(randomization=some, render_mode="rgb_array", render_width=32, render_height=24)
        env.reset(seed=seed)
        env.step(env.action_space.sample())
        # Every renderer reads the robot's meshes: 70 ms.
        if seed % 4 < 2 or seed % 20 == 0:
            env.render()
        env.close()

    gc.collect()  # what other tests left
    before_clients = clients()
    for seed in range(100):
        cycle(seed)
    before = memory()
    for seed in range(1000):
        cycle(seed)
        if seed % 100 == 0:
            memory()  # gives back what is free, before it lies between what is not
    assert clients() == before_clients
    assert memory() - before < 10


def test_the_goal_is_shown_but_touches_nothing() -> None:
    env = make("simworld/Reach-v0", render_mode="rgb_array", render_width=320, render_height=240)
    env.reset(seed=1)
    image = env.render()
    assert image is not None
    green = (image[..., 1].astype(int) - image[..., 0] > 40) & (image[..., 1].astype(int) - image[..., 2] > 40)
    assert green.sum() > 5
    marker, state = env.sample.scene.body("goal"), env.world.state()
    assert marker.marker and np.array_equal(state.body_poses[-1], marker.pose) and not state.body_velocities[-1].any()
    assert len(state.body_poses) == len(env.sample.scene.bodies)
    with pytest.raises(ConfigurationError, match="no body 'goal'"):
        env.world.push("goal", (1.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    env.close()


def test_an_environment_that_is_dropped_gives_its_client_back() -> None:
    gc.collect()
    before = clients()
    env = make()
    env.reset(seed=0)
    assert clients() == before + 1
    del env
    gc.collect()
    assert clients() == before


def test_default_randomization_can_be_an_object() -> None:
    env = make(randomization=DEFAULT | {"objects.count": 2, "objects.*.kind": "sphere"})
    env.reset(seed=0)
    assert env.parameters["objects.count"] == 2
    assert env.parameters["objects.1.kind"] == "sphere"
    env.close()
