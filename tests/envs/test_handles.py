"""Handles have one owner: copies have worlds of their own and are exact, closed ones say so, threads are refused."""

import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.vec_env import SubprocVecEnv

from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.goal_env import GoalEnv
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError, RenderError, SimworldError
from simworld.physics.world import World
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.renderers.tiny import TinyRenderer

PLACE = "simworld/PlaceInBox-v0"
SEEN: dict[str, Any] = {"observation": ["state", "rgbd"], "cameras": ["front", "wrist"], "image_size": 24}

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": lambda env: copy.copy(env.unwrapped),  # that of a wrapper is Python's own, and shares what is wrapped
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
}


def actions(seed: int, count: int = 12) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).uniform(-1, 1, (count, 4)).astype(np.float32))


def trace(env: gym.Env[Any, Any], some: list[np.ndarray]) -> list[bytes]:
    """All bits of what the environment gives for some actions, and of where everything is."""
    rows = []
    for action in some:
        observation, reward, terminated, truncated, info = env.step(np.resize(action, env.action_space.shape or ()))
        values = observation if isinstance(observation, dict) else {"": observation}
        rows.append(b"".join(values[key].tobytes() for key in sorted(values)))
        rows.append(repr((reward, terminated, truncated, info)).encode())
    state = env.get_wrapper_attr("world").state()
    return [*rows, state.body_poses.tobytes(), state.joint_positions.tobytes()]


@pytest.mark.parametrize(
    ("env_id", "how"),
    [
        pytest.param(env_id, how, marks=() if (i + k) % len(COPIES) == 0 else pytest.mark.slow)
        for i, env_id in enumerate(shipped())
        for k, how in enumerate(COPIES)
    ],
)
def test_a_copy_goes_on_exactly_and_leaves_the_original_alone(env_id: str, how: str) -> None:
    options = SEEN if how == "pickle" else {}
    with closing(gym.make(env_id, randomization="full", **options)) as env:
        env.reset(seed=3, options={"index": 2, "parameters": {"gravity": 9.75}})
        trace(env, actions(0))
        with closing(COPIES[how](env)) as twin:
            assert twin.unwrapped.world is not env.unwrapped.world  # type: ignore[attr-defined]
            went_on = trace(twin, actions(1))
            twin.reset(seed=2)
            assert trace(env, actions(1)) == went_on
            assert twin.unwrapped.episode == (2, 0) and env.unwrapped.episode == (3, 2)  # type: ignore[attr-defined]
            # The next episodes, and the wrapper's time limit, are the copy's own.
            env.reset()
            twin.reset(seed=3, options={"index": 3})
            assert trace(env, actions(4)) == trace(twin, actions(4))


def test_the_generators_of_a_copy_go_on_where_they_were() -> None:
    with closing(gym.make(PLACE)) as env:
        env.reset(seed=1)
        env.action_space.seed(4)
        env.action_space.sample()
        with closing(copy.copy(env.unwrapped)) as twin:
            assert np.array_equal(env.action_space.sample(), twin.action_space.sample())
            assert env.unwrapped.np_random.random() == twin.np_random.random()


def test_copies_before_the_first_episode_begin_with_their_own() -> None:
    env = gym.make(PLACE, randomization={"objects.*.mass": 0.2}, **SEEN)
    with closing(env), closing(copy.deepcopy(env)) as twin:
        assert twin.spec == env.spec
        first, second = env.reset(seed=5)[0], twin.reset(seed=5)[0]
        assert all(np.array_equal(first[key], second[key]) for key in first)


def test_a_copy_that_would_not_be_exact_is_refused() -> None:
    with closing(gym.make(PLACE)) as env:
        env.reset(seed=0)
        env.unwrapped.world.step()  # type: ignore[attr-defined]
        with pytest.raises(ConfigurationError, match="has no snapshot or copy: its world was changed by other means"):
            copy.deepcopy(env)


def test_a_push_that_is_still_to_come_is_not_lost_in_a_copy() -> None:
    with closing(gym.make(PLACE)) as env:
        env.reset(seed=0)
        env.unwrapped.world.push("object", (1.0, 0.0, 0.0), (0.0, 0.0, 0.0))  # type: ignore[attr-defined]
        with pytest.raises(ConfigurationError, match="has no snapshot or copy: its world was changed by other means"):
            pickle.dumps(env)


class Mine(GoalEnv):
    """An environment of a user's, with a constructor and an attribute of its own."""

    def __init__(self, mark: str) -> None:
        super().__init__(EnvConfig(task="place_in_box", randomization="default"))
        self.mark = mark


def test_environments_of_ones_own_are_copied_too() -> None:
    with closing(Mine("x")) as env:
        env.reset(seed=4)
        env.step(np.ones(4, np.float32))
        with closing(copy.deepcopy(env)) as twin:
            assert type(twin) is Mine and twin.mark == "x"
            assert trace(twin, actions(1)) == trace(env, actions(1))


def test_what_a_world_gives_out_cannot_be_changed() -> None:
    with closing(made()) as env:
        env.reset(seed=0)
        for given in (env.world.state().joint_positions, env.world.joints(), *env.world.tool_kinematics()):
            with pytest.raises(ValueError, match="read-only"):
                given[:] = 0


def test_an_unpickled_environment_takes_no_other_one_over(tmp_path: Path) -> None:
    file = tmp_path / "env.pickle"
    with closing(gym.make(PLACE)) as env:
        env.reset(seed=0)
        file.write_bytes(pickle.dumps(env))
    code = (
        "import pickle, sys, simworld, gymnasium as gym\n"
        "twin = pickle.load(open(sys.argv[1], 'rb'))\n"
        "other = gym.make('simworld/Reach-v0'); other.reset(seed=1)\n"
        "before = other.unwrapped.world.state().joint_positions.tobytes()\n"
        "twin.reset(seed=2); twin.step(twin.action_space.sample())\n"
        "assert other.unwrapped.world.state().joint_positions.tobytes() == before\n"
        "assert len(twin.unwrapped.world.state().body_poses) == 4\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, timeout=120)


def test_subprocesses_take_an_environment_that_is_there() -> None:
    with closing(gym.make(PLACE)) as env:
        env.reset(seed=0)
        envs = SubprocVecEnv([lambda: env])
        try:
            envs.seed(6)
            seen = envs.reset()
            first, _ = env.reset(seed=6)
            assert isinstance(seen, dict)
            assert all(np.array_equal(seen[key][0], first[key]) for key in first)
        finally:
            envs.close()


USES: dict[str, Callable[[ManipulationEnv], Any]] = {
    "reset": lambda env: env.reset(),
    "reset with a seed": lambda env: env.reset(seed=1),
    "step": lambda env: env.step(np.zeros(4, np.float32)),
    "render": lambda env: env.render(),
    "sample": lambda env: env.sample,
    "episode": lambda env: env.episode,
    "instances": lambda env: env.instances,
    "parameters": lambda env: env.parameters,
    "state": lambda env: env.world.state(),
    "copy": copy.deepcopy,
    "pickle": pickle.dumps,
}


def made(**options: Any) -> ManipulationEnv:
    env = gym.make(PLACE, render_mode="rgb_array", render_width=32, render_height=24, **options).unwrapped
    assert isinstance(env, ManipulationEnv)
    return env


@pytest.mark.parametrize("use", USES)
def test_a_closed_environment_says_so_and_leaves_the_next_one_alone(use: str) -> None:
    one = made()
    one.reset(seed=0)
    one.close()
    one.close()
    with closing(made()) as other:  # gets the number of the client that was closed
        other.reset(seed=1)
        before = other.world.state()
        with pytest.raises(ConfigurationError, match="closed"):
            USES[use](one)
        assert np.array_equal(other.world.state().body_poses, before.body_poses)
        assert np.array_equal(other.world.state().joint_positions, before.joint_positions)


@pytest.mark.parametrize("use", [use for use in USES if use not in ("reset", "reset with a seed", "copy", "pickle")])
def test_before_the_first_episode_there_is_one_clear_line(use: str) -> None:
    with closing(made()) as env, pytest.raises(ConfigurationError, match=r"call reset\(\) first|no scene is loaded"):
        USES[use](env)


WORLDS: dict[str, Callable[[World], Any]] = {
    "scene": lambda world: world.scene,
    "model": lambda world: world.model,
    "joints": lambda world: world.joints(),
    "tool_pose": lambda world: world.tool_pose(),
    "tool_velocity": lambda world: world.tool_velocity(),
    "body_pose": lambda world: world.body_pose("object"),
    "contacts": lambda world: world.contacts(),
    "targets": lambda world: world.set_joint_targets([0.0] * 9),
    "push": lambda world: world.push("object", (1, 0, 0), (0, 0, 0)),
    "step": lambda world: world.step(),
}


@pytest.mark.parametrize("use", WORLDS)
def test_a_closed_world_says_so(use: str) -> None:
    with closing(made()) as env:
        env.reset(seed=0)
        world = World()
        world.load(env.sample.scene)
        world.tool_pose()
        world.close()
        with pytest.raises(ConfigurationError, match="closed"):
            WORLDS[use](world)


def test_what_holds_a_handle_is_copied_with_one_of_its_own_or_refused() -> None:
    with World() as world:
        for refused in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(ConfigurationError, match="a World cannot be copied or pickled: load its scene"):
                refused(world)  # type: ignore[operator]
    with closing(made()) as env:
        env.reset(seed=0)
        scene, state = env.sample.scene, env.world.state()
    camera = scene.camera("front").resized(32, 24)
    for renderer in (RasterRenderer(error=0.002), TinyRenderer()):
        frame = renderer.render(scene, state, camera)
        twin = pickle.loads(pickle.dumps(copy.deepcopy(renderer)))
        renderer.close()
        again = twin.render(scene, state, camera)
        assert all(np.array_equal(again.channels[name], frame.channels[name]) for name in frame.channels)
        twin.close()


def test_a_closed_renderer_does_not_use_the_client_of_another() -> None:
    one = TinyRenderer()
    one.close()
    with closing(made()) as env:
        env.reset(seed=0)
        with pytest.raises(RenderError, match="closed"):
            one.render(env.sample.scene, env.world.state(), env.sample.scene.camera("front").resized(8, 8))


def test_a_second_thread_is_refused_with_one_clear_line() -> None:
    errors: list[BaseException] = []

    def steps() -> None:
        try:
            for action in actions(0, 300):
                env.step(action)
        except BaseException as error:
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with closing(made()) as env:
            env.reset(seed=0)
            threads = [threading.Thread(target=steps) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors and all(isinstance(error, SimworldError) for error in errors), errors
            assert all("in use by another thread" in str(error) for error in errors)
            env.reset(seed=0)  # nothing is broken
    finally:
        sys.setswitchinterval(before)
